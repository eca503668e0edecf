use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{
    SessionAnswer,
    browser::{self, Browser, RefreshTokenTransport},
    database_problem,
};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::refresh_session::{RefreshSessionError, refresh_session},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshTokensRequest {
    /// Left out by a browser that has it in its cookie.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    refresh_token: Option<String>,
}

impl From<RefreshSessionError> for Problem {
    fn from(error: RefreshSessionError) -> Self {
        match error {
            RefreshSessionError::Invalid => Self::new(ErrorCode::RefreshInvalid),
            RefreshSessionError::Reused => Self::new(ErrorCode::RefreshReused),
            RefreshSessionError::Database(error) => database_problem(error),
            RefreshSessionError::Sign(_)
            | RefreshSessionError::Role(_)
            | RefreshSessionError::Mail(_) => Self::internal(error),
        }
    }
}

/// Refresh a session.
///
/// Every refresh token works once; the answer has the next one. The same token presented again
/// within 10 seconds (two tabs, a lost answer) gets the same successor; later, the whole session is
/// revoked, because somebody else may have it.
///
/// A browser sends `{}` and its cookie, and gets the next one the same way. Only pages of this
/// origin may do that.
#[utoipa::path(
    post,
    path = "/auth/v1/tokens/refresh",
    operation_id = "refreshTokens",
    tag = "sessions",
    request_body = RefreshTokensRequest,
    responses(
        (status = 200, description = "New tokens", body = SessionAnswer),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`refresh-invalid` or `refresh-reused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`cross-site-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    browser: Browser,
    Json(request): Json<RefreshTokensRequest>,
) -> Result<HttpResponse, Problem> {
    let (refresh_token, transport) = match request.refresh_token {
        Some(token) => (token, RefreshTokenTransport::Body),
        None => {
            let token = browser.refresh_token()?.ok_or_else(no_token)?;
            (token, RefreshTokenTransport::Cookie)
        }
    };
    let refreshed = refresh_session(&context, &refresh_token, &origin).await;
    let tokens = refreshed.map_err(|error| {
        let has_ended = matches!(
            error,
            RefreshSessionError::Invalid | RefreshSessionError::Reused
        );
        let problem = Problem::from(error);
        match transport {
            RefreshTokenTransport::Cookie if has_ended => browser::forget_with(problem),
            RefreshTokenTransport::Cookie | RefreshTokenTransport::Body => problem,
        }
    })?;
    Ok(transport.answer(&context, HttpResponse::Ok(), tokens))
}

fn no_token() -> Problem {
    let message = "send it here, or in its cookie";
    Problem::new(ErrorCode::Validation).field("refresh_token", "missing", message)
}
