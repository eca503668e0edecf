//! Log-in by password. Whatever is wrong, the answer and the work are the same (ASVS 5.0, 6.3.8);
//! the account's state shows only to whoever knows its password.

use kernel::Email;
use sea_orm::DbErr;
use service_kit::rate_limit::TooMany;

use crate::{
    authentication::{Method, Methods},
    context::Context,
    origin::Origin,
    password::{PasswordError, Verified},
    store::user,
    use_cases::{
        begin_session::BeginSessionError,
        finish_log_in::{LoggedIn, finish_log_in},
    },
};

pub(crate) struct Credentials {
    pub email: Email,
    pub password: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LogInError {
    #[error("there is no such account, or the password is wrong")]
    InvalidCredentials,
    #[error("the e-mail address has not been verified")]
    EmailUnverified,
    #[error("the account is disabled")]
    AccountDisabled,
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Begin(#[from] BeginSessionError),
}

/// Whether the account has a second factor shows, too, only after the right password.
pub(crate) async fn log_in(
    context: &Context,
    credentials: Credentials,
    origin: &Origin,
) -> Result<LoggedIn, LogInError> {
    let user = authenticate(context, &credentials).await?;
    let transaction = context.database.begin().await?;
    let methods = Methods::one(Method::Password);
    let logged_in = finish_log_in(context, &transaction, &user, methods, origin).await?;
    transaction.commit().await?;
    Ok(logged_in)
}

async fn authenticate(
    context: &Context,
    credentials: &Credentials,
) -> Result<user::Model, LogInError> {
    context.throttle.log_in(&credentials.email).await?;
    let user = user::find_by_email(context.database.reader(), &credentials.email).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let verified = context
        .passwords
        .verify(&credentials.password, stored)
        .await?;
    let user = match (user, verified) {
        (None, _) | (_, Verified::No) => {
            context.throttle.log_in_failed(&credentials.email).await;
            return Err(LogInError::InvalidCredentials);
        }
        (Some(user), Verified::Yes) => user,
        (Some(user), Verified::Rehashed(hash)) => {
            user::rehash(context.database.writer(), &user, &hash).await?;
            user
        }
    };
    context.throttle.log_in_succeeded(&credentials.email).await;
    if user.disabled_at.is_some() {
        return Err(LogInError::AccountDisabled);
    }
    if user.email_verified_at.is_none() {
        return Err(LogInError::EmailUnverified);
    }
    Ok(user)
}
