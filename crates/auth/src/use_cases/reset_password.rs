//! Replaces a forgotten password, with the token of a mail.

use sea_orm::DbErr;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    mail::RequestMailError,
    origin::Origin,
    password::{NewPassword, PasswordError, PolicyViolation},
    secret::OpaqueToken,
    store::{mail_token, password_reset, session::Which, user},
    use_cases::replace_password::{policy_context, replace_password},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetPasswordError {
    #[error("the token is unknown, used or expired")]
    InvalidToken,
    #[error("the new password {0}")]
    Policy(#[from] PolicyViolation),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Redeems the token, once; a password that is refused leaves it good for another try. Every
/// session ends. Nobody is logged in by this, no second factor is skipped and no address verified.
pub(crate) async fn reset_password(
    context: &Context,
    token: &str,
    password: String,
    origin: &Origin,
) -> Result<(), ResetPasswordError> {
    let token = OpaqueToken::parse(token).map_err(|_| ResetPasswordError::InvalidToken)?;
    let reader = context.database.reader();
    // Before anything is hashed, so that guessing costs nothing but a look.
    let (_, owner) =
        mail_token::find::<password_reset::Entity>(reader, token.hash(), context.now())
            .await?
            .filter(|(_, owner)| owner.is_active())
            .ok_or(ResetPasswordError::InvalidToken)?;
    let policy = policy_context(reader, &owner).await?;
    let password = NewPassword::parse(password, policy)?;
    let password_hash = context.passwords.hash(password.expose()).await?;

    let transaction = context.database.begin().await?;
    let now = context.now();
    // The user first, as everywhere, so that nobody waits for each other.
    let owner = user::find_for_update(&context.database, &transaction, owner.user_id())
        .await?
        .filter(user::Model::is_active)
        .ok_or(ResetPasswordError::InvalidToken)?;
    mail_token::take::<password_reset::Entity>(&transaction, token.hash(), now)
        .await?
        .ok_or(ResetPasswordError::InvalidToken)?;
    let ended = replace_password(&transaction, &owner, &password_hash, Which::All, now).await?;
    let event = Event::new(
        By::Anonymous,
        Action::PasswordReset,
        owner.user_id(),
        origin,
    );
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    ended.announce(context).await;
    Ok(())
}
