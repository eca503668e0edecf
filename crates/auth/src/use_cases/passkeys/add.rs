use kernel::{Actor, Permission};
use sea_orm::DbErr;
use webauthn_rs::prelude::{CreationChallengeResponse, RegisterPublicKeyCredential};

use super::{CeremonyError, await_answer, take_ceremony};
use crate::{
    audit::Action,
    context::Context,
    display_name::DisplayName,
    mail::MailRequest,
    origin::Origin,
    secret::OpaqueToken,
    store::{passkey, user},
    use_cases::credential_change::{CredentialChange, CredentialChangeError},
};

/// Of one person.
const MAX_PASSKEYS: usize = 20;

pub(crate) struct NewPasskey {
    /// Of the ceremony that [`begin_adding_passkey`] began.
    pub ceremony: String,
    pub name: DisplayName,
    pub credential: RegisterPublicKeyCredential,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AddPasskeyError {
    #[error("the actor may not see or change passkeys")]
    Forbidden,
    #[error("the actor has {MAX_PASSKEYS} passkeys already")]
    TooMany,
    #[error("the passkey belongs to an account already")]
    Taken,
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    #[error(transparent)]
    Change(#[from] CredentialChangeError),
}

impl From<DbErr> for AddPasskeyError {
    fn from(error: DbErr) -> Self {
        Self::Ceremony(error.into())
    }
}

/// What to ask the authenticator, and the ticket for its answer.
pub(crate) async fn begin_adding_passkey(
    context: &Context,
    actor: &Actor,
) -> Result<(OpaqueToken, CreationChallengeResponse), AddPasskeyError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(AddPasskeyError::Forbidden);
    }
    let reader = context.database.reader();
    let user = user::find(reader, actor.user_id).await?;
    let user = user.ok_or(AddPasskeyError::Forbidden)?;
    let existing = passkey::of_user(reader, actor.user_id).await?;
    if existing.len() >= MAX_PASSKEYS {
        return Err(AddPasskeyError::TooMany);
    }
    let existing = existing.into_iter().map(|passkey| passkey.credential_id);
    let (options, state) = context
        .relying_party
        .ask_to_register(actor.user_id, &user.email, &user.name, existing.collect())
        .map_err(CeremonyError::from)?;
    let ticket = await_answer(context, Some(user.id), state).await?;
    Ok((ticket, options))
}

pub(crate) async fn add_passkey(
    context: &Context,
    actor: &Actor,
    new: NewPasskey,
    origin: &Origin,
) -> Result<passkey::Model, AddPasskeyError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(AddPasskeyError::Forbidden);
    }
    let ceremony = take_ceremony(context, &new.ceremony).await?;
    if ceremony.user_id != Some(actor.user_id.as_uuid()) {
        return Err(CeremonyError::InvalidCeremony.into());
    }
    let (credential_id, credential) = context
        .relying_party
        .register(&new.credential, ceremony.state)
        .map_err(CeremonyError::from)?;
    let now = context.now();
    let row = passkey::Model {
        id: kernel::EventId::generate(now).as_uuid(),
        user_id: actor.user_id.as_uuid(),
        credential_id,
        name: new.name.as_str().to_owned(),
        credential,
        created_at: now,
        last_used_at: None,
    };
    let transaction = context.database.begin().await?;
    if !passkey::insert_if_absent(&transaction, row.clone()).await? {
        return Err(AddPasskeyError::Taken);
    }
    let change = CredentialChange {
        actor,
        action: Action::PasskeyAdded,
        mail: MailRequest::PasskeyAdded {
            user_id: actor.user_id.as_uuid(),
        },
        origin,
    };
    change.commit(context, transaction).await?;
    Ok(row)
}
