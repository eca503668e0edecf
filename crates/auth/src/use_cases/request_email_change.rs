//! Asks for another address. The caller never learns whether it has an account: only a mail to it
//! tells (ASVS 5.0, 6.3.8).

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Actor, Email, Permission};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    store::{email_change, user},
};

/// How long the link in the mail works.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestEmailChangeError {
    #[error("the actor may not change an address")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error("it is the actor's address already")]
    Unchanged,
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Voids the links of earlier mails. Nothing changes until the new address is confirmed; the old
/// one is told at once.
pub(crate) async fn request_email_change(
    context: &Context,
    actor: &Actor,
    new_email: &Email,
    origin: &Origin,
) -> Result<(), RequestEmailChangeError> {
    let session_id = actor
        .session_id()
        .filter(|_| actor.may(Permission::ManageOwnCredentials))
        .ok_or(RequestEmailChangeError::Forbidden)?;
    let may_mail = context.throttle.may_mail(new_email).await;
    let transaction = context.database.begin().await?;
    let now = context.now();
    let user = user::find_for_update(&context.database, &transaction, actor.user_id)
        .await?
        .filter(user::Model::is_active)
        .ok_or(RequestEmailChangeError::Gone)?;
    if user.email == new_email.as_str() {
        return Err(RequestEmailChangeError::Unchanged);
    }
    let change_id = Uuid::new_v4();
    let change = email_change::Model {
        id: change_id,
        user_id: user.id,
        session_id: session_id.as_uuid(),
        token_hash: context.token_secret.email_change(change_id).hash().into(),
        new_email: new_email.to_string(),
        created_at: now,
        expires_at: now + LIFETIME,
    };
    email_change::replace(&transaction, change).await?;
    let request = MailRequest::EmailChangeRequested { change_id };
    request_mail(&transaction, user.id, request, now).await?;
    if may_mail {
        write_to_new_address(&transaction, new_email, change_id, now).await?;
    }
    let event = Event::new(
        actor.into(),
        Action::EmailChangeRequested,
        actor.user_id,
        origin,
    );
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    Ok(())
}

/// The link that confirms it, or, if it has an account, a word to that account's owner.
async fn write_to_new_address(
    transaction: &impl ConnectionTrait,
    new_email: &Email,
    change_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), RequestEmailChangeError> {
    let holder = user::find_by_email(transaction, new_email).await?;
    let (aggregate, request) = match holder.filter(user::Model::holds_address) {
        Some(holder) => (holder.id, MailRequest::AddressWanted { user_id: holder.id }),
        None => (change_id, MailRequest::EmailChange { change_id }),
    };
    request_mail(transaction, aggregate, request, now).await?;
    Ok(())
}
