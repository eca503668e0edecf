//! Changes one's own password.

use kernel::{Actor, Email, InvalidEmail, Permission};
use sea_orm::DbErr;
use service_kit::rate_limit::TooMany;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    mail::RequestMailError,
    origin::Origin,
    password::{NewPassword, PasswordError, PolicyViolation, Verified},
    store::{session::Which, user},
    use_cases::replace_password::{policy_context, replace_password},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangePasswordError {
    #[error("the actor may not change a password")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error("the current password is wrong")]
    WrongPassword,
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error("the stored address is not one")]
    Address(#[from] InvalidEmail),
    #[error("the new password {0}")]
    Policy(#[from] PolicyViolation),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Guessing the present one is as slow as at a log-in. Every session but the actor's ends. An account without a password gets one by a reset.
pub(crate) async fn change_password(
    context: &Context,
    actor: &Actor,
    current: &str,
    new: String,
    origin: &Origin,
) -> Result<(), ChangePasswordError> {
    let session_id = actor
        .session_id()
        .filter(|_| actor.may(Permission::ManageOwnCredentials))
        .ok_or(ChangePasswordError::Forbidden)?;
    let reader = context.database.reader();
    let user = user::find_active(reader, actor.user_id)
        .await?
        .ok_or(ChangePasswordError::Gone)?;
    let new = NewPassword::parse(new, policy_context(reader, &user).await?)?;
    let email = Email::parse(&user.email)?;
    context.throttle.log_in(&email).await?;
    let stored = user.password_hash.as_deref();
    if context.passwords.verify(current, stored).await? == Verified::No {
        context.throttle.log_in_failed(&email).await;
        return Err(ChangePasswordError::WrongPassword);
    }
    context.throttle.log_in_succeeded(&email).await;
    let password_hash = context.passwords.hash(new.expose()).await?;

    let transaction = context.database.begin().await?;
    let now = context.now();
    // Whoever changed it meanwhile was first, and the password that was shown is a former one.
    user::find_for_update(&context.database, &transaction, actor.user_id)
        .await?
        .filter(|locked| locked.is_active() && locked.password_hash == user.password_hash)
        .ok_or(ChangePasswordError::WrongPassword)?;
    let others = Which::AllBut(session_id);
    let ended = replace_password(&transaction, &user, &password_hash, others, now).await?;
    let event = Event::new(actor.into(), Action::PasswordChanged, actor.user_id, origin);
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    ended.announce(context).await;
    Ok(())
}
