use sea_orm::DbErr;
use webauthn_rs::prelude::{PublicKeyCredential, RequestChallengeResponse};

use super::{CeremonyError, await_answer, take_ceremony};
use crate::{
    authentication::{Method, Methods},
    context::Context,
    origin::Origin,
    passkeys::PasskeyError,
    secret::OpaqueToken,
    store::{passkey, user},
    use_cases::begin_session::{BeginSessionError, SessionTokens, begin_session},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum PasskeyLogInError {
    #[error("the passkey is not one of ours, or did not answer rightly")]
    Refused,
    #[error("the account is disabled")]
    AccountDisabled,
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    #[error(transparent)]
    Begin(#[from] BeginSessionError),
}

impl From<DbErr> for PasskeyLogInError {
    fn from(error: DbErr) -> Self {
        Self::Ceremony(error.into())
    }
}

impl From<PasskeyError> for PasskeyLogInError {
    fn from(error: PasskeyError) -> Self {
        Self::Ceremony(error.into())
    }
}

/// What to ask the authenticator, and the ticket for its answer. Nobody needs to say who they are.
pub(crate) async fn begin_passkey_log_in(
    context: &Context,
) -> Result<(OpaqueToken, RequestChallengeResponse), CeremonyError> {
    let (options, state) = context.relying_party.ask_to_log_in()?;
    let ticket = await_answer(context, None, state).await?;
    Ok((ticket, options))
}

/// A passkey whose authenticator verified its user is two factors in one: nothing else is asked.
pub(crate) async fn log_in_with_passkey(
    context: &Context,
    ticket: &str,
    answer: &PublicKeyCredential,
    origin: &Origin,
) -> Result<SessionTokens, PasskeyLogInError> {
    let ceremony = take_ceremony(context, ticket).await?;
    if ceremony.user_id.is_some() {
        return Err(CeremonyError::InvalidCeremony.into());
    }
    let (user_id, credential_id) = context.relying_party.claimed(answer)?;
    let reader = context.database.reader();
    let known = passkey::find_by_credential(reader, credential_id).await?;
    let known = known.filter(|passkey| passkey.user_id == user_id.as_uuid());
    let known = known.ok_or(PasskeyLogInError::Refused)?;
    let used = context
        .relying_party
        .log_in(answer, ceremony.state, known.credential)?;
    let transaction = context.database.begin().await?;
    let owner = user::find_for_update(&context.database, &transaction, user_id).await?;
    let owner = owner.ok_or(PasskeyLogInError::Refused)?;
    if owner.disabled_at.is_some() {
        return Err(PasskeyLogInError::AccountDisabled);
    }
    // It may have been deleted meanwhile.
    if !passkey::record_use(&transaction, known.id, used, context.now()).await? {
        return Err(PasskeyLogInError::Refused);
    }
    let methods = Methods::one(Method::Passkey);
    let tokens = begin_session(context, &transaction, &owner, methods, origin).await?;
    transaction.commit().await?;
    Ok(tokens)
}
