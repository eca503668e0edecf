use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::SessionId;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};
use uuid::Uuid;

use super::{browser, database_problem};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::revoke_sessions::{RevokeSessionsError, revoke_session},
};

impl From<RevokeSessionsError> for Problem {
    fn from(error: RevokeSessionsError) -> Self {
        match error {
            RevokeSessionsError::Forbidden => Self::new(ErrorCode::Forbidden),
            RevokeSessionsError::NotFound => Self::new(ErrorCode::SessionNotFound),
            RevokeSessionsError::Database(error) => database_problem(error),
        }
    }
}

/// Log out of one session.
///
/// Its refresh token does not work any more; every service refuses its access tokens within a
/// second. Someone else's session is not found.
#[utoipa::path(
    delete,
    path = "/auth/v1/sessions/{id}",
    operation_id = "revokeSession",
    tag = "sessions",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 204, description = "It has ended"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`session-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: Uuid = id.parse().map_err(|_| RevokeSessionsError::NotFound)?;
    let id = SessionId::from(id);
    revoke_session(&context, caller.actor(), id, &origin).await?;
    let response = HttpResponse::NoContent().finish();
    if caller.actor().session_id() == Some(id) {
        return Ok(browser::forget(response));
    }
    Ok(response)
}
