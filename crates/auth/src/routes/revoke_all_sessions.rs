use actix_web::{HttpResponse, web};
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use super::browser;
use crate::{context::Context, origin::Origin, use_cases::revoke_sessions::revoke_all_sessions};

/// Log out everywhere.
///
/// Ends all of one's own sessions, the one of this request too.
#[utoipa::path(
    delete,
    path = "/auth/v1/sessions",
    operation_id = "revokeAllSessions",
    tag = "sessions",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "They have ended"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    revoke_all_sessions(&context, caller.actor(), &origin).await?;
    Ok(browser::forget(HttpResponse::NoContent().finish()))
}
