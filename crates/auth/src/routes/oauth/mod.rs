//! The endpoints of OAuth 2.0: forms in, and errors as RFC 6749 §5.2 has them.

pub(super) mod introspect;
mod request;
pub(super) mod revoke;
pub(super) mod token;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue, PRAGMA, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;
use service_kit::problem::Problem;

use super::database_problem;
use crate::use_cases::authenticate_client::ClientError;

pub(super) use request::OAuthRequest;

/// What is answered to a client. What it can't help is a problem as everywhere else.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    #[error("invalid_request: {0}")]
    InvalidRequest(&'static str),
    #[error("invalid_client")]
    InvalidClient,
    #[error("unauthorized_client")]
    UnauthorizedClient,
    #[error("unsupported_grant_type")]
    UnsupportedGrantType,
    #[error("invalid_scope")]
    InvalidScope,
    /// RFC 8707 §2.
    #[error("invalid_target")]
    InvalidTarget,
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// RFC 6749 §5.2.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OAuthErrorBody {
    #[schema(example = "invalid_client")]
    error: &'static str,
    #[schema(example = "The client is unknown, or its secret is another.")]
    error_description: &'static str,
}

impl OAuthError {
    fn body(&self) -> Option<OAuthErrorBody> {
        let (error, error_description) = match self {
            Self::InvalidRequest(description) => ("invalid_request", *description),
            Self::InvalidClient => (
                "invalid_client",
                "The client is unknown, or its secret is another.",
            ),
            Self::UnauthorizedClient => (
                "unauthorized_client",
                "The client may not do this, or the token is another client's.",
            ),
            Self::UnsupportedGrantType => (
                "unsupported_grant_type",
                "The only grant here is client_credentials.",
            ),
            Self::InvalidScope => ("invalid_scope", "The client does not have this scope."),
            Self::InvalidTarget => ("invalid_target", "The client is for another audience."),
            Self::Problem(_) => return None,
        };
        Some(OAuthErrorBody {
            error,
            error_description,
        })
    }
}

impl From<ClientError> for OAuthError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Invalid => Self::InvalidClient,
            ClientError::Database(error) => Self::Problem(database_problem(error)),
        }
    }
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest(_)
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget => StatusCode::BAD_REQUEST,
            Self::Problem(problem) => problem.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let body = match (self, self.body()) {
            (Self::Problem(problem), _) => return problem.error_response(),
            (_, body) => body,
        };
        let mut response = HttpResponse::build(self.status_code());
        if matches!(self, Self::InvalidClient) {
            // RFC 6749 §5.2; RFC 7617.
            let challenge =
                HeaderValue::from_static("Basic realm=\"plumbline\", charset=\"UTF-8\"");
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        answer(response, &body)
    }
}

/// Never kept by a cache (RFC 6749 §5.1).
fn answer(mut response: actix_web::HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((PRAGMA, HeaderValue::from_static("no-cache")))
        .json(body)
}
