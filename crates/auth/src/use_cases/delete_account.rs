//! Deletes one's own account. The row stays, anonymous, because orders and the audit log name its
//! id; everything that tells who it was goes.
//!
//! No event tells other contexts: none of them keeps anything of a person but the id, and a
//! message for which there is no queue would be published again and again
//! ([`messaging::PublishError::Unroutable`]). The first consumer brings its event along.

use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    store::{
        personal_data,
        session::{self, Which},
        user,
    },
    use_cases::{
        admin::{IsLastAdmin, is_last_admin},
        revoke_sessions::end_sessions,
    },
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteAccountError {
    #[error("the actor may not delete an account")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error("nobody else could administer anything")]
    LastAdmin,
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Every session ends, and the address, which may be registered anew, gets a last mail.
pub(crate) async fn delete_account(
    context: &Context,
    actor: &Actor,
    origin: &Origin,
) -> Result<(), DeleteAccountError> {
    if !actor.may(Permission::DeleteOwnAccount) {
        return Err(DeleteAccountError::Forbidden);
    }
    let database = &context.database;
    let transaction = database.begin().await?;
    let now = context.now();
    let is_last = is_last_admin(database, &transaction, actor.user_id).await?;
    if is_last == IsLastAdmin(true) {
        return Err(DeleteAccountError::LastAdmin);
    }
    let user = user::find_for_update(database, &transaction, actor.user_id)
        .await?
        .filter(user::Model::is_active)
        .ok_or(DeleteAccountError::Gone)?;
    let ended = end_sessions(&transaction, actor.user_id, Which::All, now).await?;
    session::forget_origins(&transaction, actor.user_id).await?;
    personal_data::delete_of(&transaction, user.id).await?;
    user::anonymise(&transaction, user.id, now).await?;
    let request = MailRequest::AccountDeleted {
        email: user.email,
        name: user.name,
    };
    request_mail(&transaction, user.id, request, now).await?;
    let event = Event::new(actor.into(), Action::AccountDeleted, actor.user_id, origin);
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    ended.announce(context).await;
    Ok(())
}
