use actix_web::{HttpResponse, web};
use serde::Deserialize;
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::RecoveryCodes;
use crate::{
    context::Context, origin::Origin, routes::secret_answer, use_cases::mfa::confirm_totp,
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct ConfirmTotpRequest {
    /// Six digits of the app.
    #[schema(example = "287082")]
    code: String,
}

/// Switch the second factor on.
///
/// With a code of the app that was set up. From now on a log-in asks for one, and all other sessions
/// have ended. The answer has ten recovery codes, which are shown this once. Needs a proof of identity
/// within the last five minutes.
#[utoipa::path(
    post,
    path = "/auth/v1/me/mfa/totp/confirm",
    operation_id = "confirmTotp",
    tag = "mfa",
    security(("bearer" = [])),
    request_body = ConfirmTotpRequest,
    responses(
        (status = 200, description = "On", body = RecoveryCodes),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token`, `step-up-required` or `invalid-second-factor`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`mfa-already-enabled`, or `mfa-not-enabled`: no app was set up", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<ConfirmTotpRequest>,
) -> Result<HttpResponse, Problem> {
    let codes = confirm_totp(&context, caller.actor(), &request.code, &origin).await?;
    Ok(secret_answer(
        HttpResponse::Ok(),
        &RecoveryCodes::from(codes),
    ))
}
