//! Log-in by password. Whatever is wrong, the answer and the work are the same (ASVS 5.0, 6.3.8);
//! the account's state shows only to whoever knows its password.

use kernel::{Email, SessionId, UnknownRole};
use sea_orm::DbErr;

use crate::{
    access_tokens::Subject,
    context::Context,
    password::{PasswordError, Verified},
    refresh_chain::RefreshChain,
    secret::OpaqueToken,
    store::{refresh_token, session, user},
};

pub(crate) struct Credentials {
    pub email: Email,
    pub password: String,
}

/// What a client gets for a log-in or a refresh.
pub(crate) struct SessionTokens {
    pub session_id: SessionId,
    pub access_token: String,
    pub refresh_token: OpaqueToken,
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
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("no randomness for a token")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error("the access token can't be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Role(#[from] UnknownRole),
}

pub(crate) async fn log_in(
    context: &Context,
    credentials: Credentials,
) -> Result<SessionTokens, LogInError> {
    let user = authenticate(context, &credentials).await?;
    let now = context.now();
    let session_id = SessionId::generate(now);
    let refresh_token = OpaqueToken::random()?;
    let chain = RefreshChain::begin(context.refresh_policy, now);
    let subject = Subject {
        user_id: user.user_id(),
        session_id,
        role: user.role()?,
        authenticated_at: now,
    };
    let access_token = context.access_tokens.issue(subject, now)?;

    let transaction = context.database.begin().await?;
    session::insert(&transaction, session_id, user.user_id(), chain, now).await?;
    let hash = refresh_token.hash();
    refresh_token::insert(&transaction, hash, session_id, chain.generation).await?;
    transaction.commit().await?;
    Ok(SessionTokens {
        session_id,
        access_token,
        refresh_token,
    })
}

async fn authenticate(
    context: &Context,
    credentials: &Credentials,
) -> Result<user::Model, LogInError> {
    let user = user::find_by_email(context.database.reader(), &credentials.email).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let verified = context
        .passwords
        .verify(&credentials.password, stored)
        .await?;
    let user = match (user, verified) {
        (None, _) | (_, Verified::No) => return Err(LogInError::InvalidCredentials),
        (Some(user), Verified::Yes) => user,
        (Some(user), Verified::Rehashed(hash)) => {
            user::rehash(context.database.writer(), &user, &hash).await?;
            user
        }
    };
    if user.disabled_at.is_some() {
        return Err(LogInError::AccountDisabled);
    }
    if user.email_verified_at.is_none() {
        return Err(LogInError::EmailUnverified);
    }
    Ok(user)
}
