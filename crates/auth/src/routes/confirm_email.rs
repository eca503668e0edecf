use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::database_problem;
use crate::{
    context::Context,
    origin::Origin,
    use_cases::confirm_email::{ConfirmEmailError, confirm_email},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmEmailRequest {
    /// From the mail.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    token: String,
}

impl From<ConfirmEmailError> for Problem {
    fn from(error: ConfirmEmailError) -> Self {
        match error {
            ConfirmEmailError::InvalidToken => Self::new(ErrorCode::InvalidMailToken),
            ConfirmEmailError::Database(error) => database_problem(error),
        }
    }
}

/// Confirm an e-mail address.
///
/// With the token of the mail, once. The account has the name and the password of the registration
/// that the mail belongs to.
#[utoipa::path(
    post,
    path = "/auth/v1/email-verifications/confirm",
    operation_id = "confirmEmail",
    tag = "users",
    request_body = ConfirmEmailRequest,
    responses(
        (status = 204, description = "Confirmed: log in now"),
        (status = 400, description = "`invalid-mail-token` or `malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    Json(request): Json<ConfirmEmailRequest>,
) -> Result<HttpResponse, Problem> {
    confirm_email(&context, &request.token, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
