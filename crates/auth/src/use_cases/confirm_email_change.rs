//! Redeems the token of the mail to a new address, once: the account has that address then.

use kernel::InvalidEmail;
use sea_orm::DbErr;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    secret::OpaqueToken,
    store::{email_change, mail_token, password_reset, session::Which, user},
    use_cases::revoke_sessions::end_sessions,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfirmEmailChangeError {
    #[error("the token is unknown, used or expired")]
    InvalidToken,
    /// Whoever holds the token reads the mail to that address, and may know.
    #[error("the address has an account meanwhile")]
    Taken,
    #[error("the stored address is not one")]
    Address(#[from] InvalidEmail),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Every session but the one in which it was asked for ends, and the former address is told. Links
/// that were mailed to it work no more.
pub(crate) async fn confirm_email_change(
    context: &Context,
    token: &str,
    origin: &Origin,
) -> Result<(), ConfirmEmailChangeError> {
    use ConfirmEmailChangeError::{InvalidToken, Taken};
    let token = OpaqueToken::parse(token).map_err(|_| InvalidToken)?;
    let reader = context.database.reader();
    let found =
        mail_token::find::<email_change::Entity>(reader, token.hash(), context.now()).await?;
    let (_, owner) = found.ok_or(InvalidToken)?;

    let transaction = context.database.begin().await?;
    let now = context.now();
    // The user first, as everywhere, so that nobody waits for each other.
    let user = user::find_for_update(&context.database, &transaction, owner.user_id())
        .await?
        .filter(user::Model::is_active)
        .ok_or(InvalidToken)?;
    let change = mail_token::take::<email_change::Entity>(&transaction, token.hash(), now)
        .await?
        .ok_or(InvalidToken)?;
    if !user::change_email(&transaction, user.id, &change.new_email()?, now).await? {
        return Err(Taken);
    }
    mail_token::delete_of::<password_reset::Entity>(&transaction, user.id).await?;
    let others = Which::AllBut(change.session_id.into());
    let ended = end_sessions(&transaction, user.user_id(), others, now).await?;
    let request = MailRequest::EmailChanged {
        user_id: user.id,
        former: user.email.clone(),
    };
    request_mail(&transaction, user.id, request, now).await?;
    let event = Event::new(By::Anonymous, Action::EmailChanged, user.user_id(), origin);
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    ended.announce(context).await;
    Ok(())
}
