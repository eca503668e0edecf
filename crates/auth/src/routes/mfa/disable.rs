use actix_web::{HttpResponse, web};
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use crate::{context::Context, origin::Origin, use_cases::mfa::disable_mfa};

/// Switch the second factor off.
///
/// Forgets the app's key and the recovery codes, and ends all other sessions. Needs a proof of identity
/// within the last five minutes.
#[utoipa::path(
    delete,
    path = "/auth/v1/me/mfa/totp",
    operation_id = "disableMfa",
    tag = "mfa",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Off"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`mfa-not-enabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    disable_mfa(&context, caller.actor(), &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
