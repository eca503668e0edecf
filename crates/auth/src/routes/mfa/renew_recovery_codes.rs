use actix_web::{HttpResponse, web};
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use super::RecoveryCodes;
use crate::{
    context::Context, origin::Origin, routes::secret_answer, use_cases::mfa::renew_recovery_codes,
};

/// Make new recovery codes.
///
/// Those of before work no more, and all other sessions end. The codes are shown this once. Needs a
/// proof of identity within the last five minutes.
#[utoipa::path(
    post,
    path = "/auth/v1/me/mfa/recovery-codes",
    operation_id = "renewRecoveryCodes",
    tag = "mfa",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The new codes", body = RecoveryCodes),
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
    let codes = renew_recovery_codes(&context, caller.actor(), &origin).await?;
    Ok(secret_answer(
        HttpResponse::Ok(),
        &RecoveryCodes::from(codes),
    ))
}
