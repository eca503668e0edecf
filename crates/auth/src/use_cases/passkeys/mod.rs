//! Passkeys: adding them, and logging in with one.

mod add;
mod log_in;

use chrono::TimeDelta;
use kernel::{Actor, Permission};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    audit::Action,
    context::Context,
    mail::MailRequest,
    origin::Origin,
    passkeys::PasskeyError,
    secret::OpaqueToken,
    store::{
        passkey,
        passkey_ceremony::{self, Model as Ceremony},
    },
    use_cases::credential_change::{CredentialChange, CredentialChangeError},
};

pub(crate) use add::{AddPasskeyError, NewPasskey, add_passkey, begin_adding_passkey};
pub(crate) use log_in::{PasskeyLogInError, begin_passkey_log_in, log_in_with_passkey};

/// How long an authenticator may take.
const CEREMONY_LIFETIME: TimeDelta = TimeDelta::minutes(5);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ListPasskeysError {
    #[error("the actor may not see or change passkeys")]
    Forbidden,
    #[error(transparent)]
    Database(#[from] DbErr),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DeletePasskeyError {
    #[error("the actor may not see or change passkeys")]
    Forbidden,
    #[error("the actor has no such passkey")]
    NotFound,
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Change(#[from] CredentialChangeError),
}

/// One's own passkeys, the oldest first.
pub(crate) async fn list_passkeys(
    context: &Context,
    actor: &Actor,
) -> Result<Vec<passkey::Model>, ListPasskeysError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(ListPasskeysError::Forbidden);
    }
    Ok(passkey::of_user(context.database.reader(), actor.user_id).await?)
}

pub(crate) async fn delete_passkey(
    context: &Context,
    actor: &Actor,
    id: Uuid,
    origin: &Origin,
) -> Result<(), DeletePasskeyError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(DeletePasskeyError::Forbidden);
    }
    let transaction = context.database.begin().await?;
    if !passkey::delete(&transaction, actor.user_id, id).await? {
        return Err(DeletePasskeyError::NotFound);
    }
    let change = CredentialChange {
        actor,
        action: Action::PasskeyDeleted,
        mail: MailRequest::PasskeyDeleted {
            user_id: actor.user_id.as_uuid(),
        },
        origin,
    };
    change.commit(context, transaction).await?;
    Ok(())
}

/// Keeps what an authenticator was asked until it answers, and returns the answer's ticket.
async fn await_answer(
    context: &Context,
    user_id: Option<Uuid>,
    state: serde_json::Value,
) -> Result<OpaqueToken, CeremonyError> {
    let token = OpaqueToken::random()?;
    let now = context.now();
    let row = Ceremony {
        token_hash: token.hash().into(),
        user_id,
        state,
        created_at: now,
        expires_at: now + CEREMONY_LIFETIME,
    };
    passkey_ceremony::insert(context.database.writer(), row).await?;
    Ok(token)
}

/// What can go wrong in any ceremony.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CeremonyError {
    #[error("the ceremony is unknown, used or expired")]
    InvalidCeremony,
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error("no randomness for a token")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Of any number of callers with the same ticket one gets the ceremony.
async fn take_ceremony(context: &Context, ticket: &str) -> Result<Ceremony, CeremonyError> {
    let ticket = OpaqueToken::parse(ticket).map_err(|_| CeremonyError::InvalidCeremony)?;
    let database = context.database.writer();
    passkey_ceremony::take(database, ticket.hash(), context.now())
        .await?
        .ok_or(CeremonyError::InvalidCeremony)
}
