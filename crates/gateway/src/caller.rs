//! Who makes a request, told by its access token.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use chrono::{DateTime, Utc};
use service_kit::access_token::{TokenRejected, VerifiedToken, Verifier};

/// An authenticated caller: who it is, what they may do, and until when the token says so.
pub type Caller = Arc<VerifiedToken>;

/// Why a caller is not let in. What exactly is wrong with a token is for the log alone.
#[derive(Debug, thiserror::Error)]
pub enum NotAuthenticated {
    /// Credentials of another scheme than `Bearer` (RFC 6750).
    #[error("Authenticate with \"Bearer\" and an access token.")]
    NotBearer,
    /// The token is not accepted.
    #[error("The access token is not valid.")]
    Rejected(#[source] TokenRejected),
    /// It can't be told now whether the token is valid.
    #[error("Access tokens can't be checked at this moment. Please try again.")]
    Unavailable(#[source] TokenRejected),
}

/// Checks the value of an `Authorization` header.
///
/// # Errors
/// [`NotAuthenticated`].
pub async fn authenticate(
    verifier: &Verifier,
    authorization: &str,
) -> Result<Caller, NotAuthenticated> {
    let Some((scheme, token)) = authorization.split_once(' ') else {
        return Err(NotAuthenticated::NotBearer);
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NotAuthenticated::NotBearer);
    }
    verifier
        .verify(token.trim_matches(' '))
        .await
        .map_err(|rejected| {
            tracing::debug!(cause = %rejected, "access token rejected");
            if rejected.is_unavailable() {
                NotAuthenticated::Unavailable(rejected)
            } else {
                NotAuthenticated::Rejected(rejected)
            }
        })
}

/// The caller of an HTTP request; `None` for one without credentials.
///
/// # Errors
/// [`NotAuthenticated`].
pub async fn caller_of(
    verifier: &Verifier,
    headers: &HeaderMap,
) -> Result<Option<Caller>, NotAuthenticated> {
    match headers.get(AUTHORIZATION).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(authorization)) => authenticate(verifier, authorization).await.map(Some),
        Some(Err(_)) => Err(NotAuthenticated::NotBearer),
    }
}

/// When the caller's token ends; nothing may outlive it.
#[must_use]
pub fn expires_at(caller: &Caller) -> DateTime<Utc> {
    caller.expires_at()
}
