//! What several routes answer with, and the problems that they share.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
};
use contracts::ErrorCode;
use sea_orm::DbErr;
use serde::Serialize;
use service_kit::problem::Problem;

use crate::{
    password::{PasswordError, PolicyViolation},
    use_cases::begin_session::SessionTokens,
};

/// The answer to a log-in and to a refresh; names of RFC 6749 §5.1.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionAnswer {
    /// A JWT, sent as `Authorization: Bearer`.
    pub(super) access_token: String,
    /// Works once; the answer to it has the next one.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    ///
    /// Left out where it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[schema(example = "Bearer")]
    pub(super) token_type: &'static str,
    /// Of the access token, in seconds.
    #[schema(example = 600)]
    pub(super) expires_in: i64,
    pub(super) session_id: uuid::Uuid,
}

impl SessionAnswer {
    pub(super) fn new(tokens: SessionTokens, lifetime: chrono::TimeDelta) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: Some(tokens.refresh_token.expose()),
            token_type: "Bearer",
            expires_in: lifetime.num_seconds(),
            session_id: tokens.session_id.as_uuid(),
        }
    }
}

/// `{}`: there is nothing to tell yet.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Nothing {}

/// Credentials are in it: no cache may keep it (RFC 6749 §5.1).
pub(super) fn secret_answer(
    mut response: actix_web::HttpResponseBuilder,
    body: &impl Serialize,
) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(body)
}

pub(super) fn database_problem(error: DbErr) -> Problem {
    if database::is_transient(&error) {
        Problem::unavailable(error)
    } else {
        Problem::internal(error)
    }
}

/// A password that is refused, in a field of the request.
pub(super) fn policy_problem(field: &str, violation: PolicyViolation) -> Problem {
    Problem::new(ErrorCode::Validation).field(field, violation.code(), violation.to_string())
}

pub(super) fn password_problem(error: PasswordError) -> Problem {
    match error {
        PasswordError::Saturated => Problem::new(ErrorCode::HashCapacity)
            .retry_after(Duration::from_secs(2))
            .cause(error),
        PasswordError::Hash(_) | PasswordError::Died => Problem::internal(error),
    }
}
