//! Log-in by password. Whatever is wrong, the answer and the work are the same (ASVS 5.0, 6.3.8);
//! the account's state shows only to whoever knows its password.

use kernel::Email;
use sea_orm::{DatabaseTransaction, DbErr};
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

/// How often the password is checked again because its hash changed meanwhile. Log-ins at once may
/// each renew an outdated hash; more changes than this are nobody's log-in.
const MAX_CHECKS: usize = 3;

/// Whether the account has a second factor shows, too, only after the right password.
pub(crate) async fn log_in(
    context: &Context,
    credentials: Credentials,
    origin: &Origin,
) -> Result<LoggedIn, LogInError> {
    context.throttle.log_in(&credentials.email).await?;
    for _ in 0..MAX_CHECKS {
        let shown = authenticate(context, &credentials).await?;
        let transaction = context.database.begin().await?;
        let Some(user) = shown.hold(context, &transaction).await? else {
            continue;
        };
        let methods = Methods::one(Method::Password);
        let logged_in = finish_log_in(context, &transaction, &user, methods, origin).await?;
        transaction.commit().await?;
        return Ok(logged_in);
    }
    Err(LogInError::InvalidCredentials)
}

/// Somebody who has shown the password that an account had a moment ago.
struct Shown {
    user: user::Model,
    /// What should replace the hash.
    renewed: Option<String>,
}

impl Shown {
    /// Holds the account until the transaction ends, if its password is still the one that was
    /// shown: a reset that committed since has shut everybody out, and a session that began
    /// after it would stay. `None` means that the hash is another one now.
    async fn hold(
        &self,
        context: &Context,
        transaction: &DatabaseTransaction,
    ) -> Result<Option<user::Model>, LogInError> {
        let held = user::find_for_update(&context.database, transaction, self.user.user_id())
            .await?
            .filter(|held| held.password_hash == self.user.password_hash);
        let Some(user) = held else {
            return Ok(None);
        };
        if user.disabled_at.is_some() {
            return Err(LogInError::AccountDisabled);
        }
        if user.email_verified_at.is_none() {
            return Err(LogInError::EmailUnverified);
        }
        if let Some(hash) = &self.renewed {
            user::rehash(transaction, &user, hash).await?;
        }
        Ok(Some(user))
    }
}

async fn authenticate(context: &Context, credentials: &Credentials) -> Result<Shown, LogInError> {
    let user = user::find_by_email(context.database.reader(), &credentials.email).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let verified = context
        .passwords
        .verify(&credentials.password, stored)
        .await?;
    let shown = match (user, verified) {
        (None, _) | (_, Verified::No) => {
            context.throttle.log_in_failed(&credentials.email).await;
            return Err(LogInError::InvalidCredentials);
        }
        (Some(user), Verified::Yes) => Shown {
            user,
            renewed: None,
        },
        (Some(user), Verified::Rehashed(hash)) => Shown {
            user,
            renewed: Some(hash),
        },
    };
    context.throttle.log_in_succeeded(&credentials.email).await;
    Ok(shown)
}
