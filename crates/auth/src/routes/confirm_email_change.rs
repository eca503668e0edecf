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
    use_cases::confirm_email_change::{ConfirmEmailChangeError, confirm_email_change},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmEmailChangeRequest {
    /// From the mail to the new address.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    token: String,
}

impl From<ConfirmEmailChangeError> for Problem {
    fn from(error: ConfirmEmailChangeError) -> Self {
        match error {
            ConfirmEmailChangeError::InvalidToken => Self::new(ErrorCode::InvalidMailToken),
            ConfirmEmailChangeError::Taken => Self::new(ErrorCode::EmailTaken),
            ConfirmEmailChangeError::Address(_) | ConfirmEmailChangeError::Mail(_) => {
                Self::internal(error)
            }
            ConfirmEmailChangeError::Database(error) => database_problem(error),
        }
    }
}

/// Confirm a new e-mail address.
///
/// With the token of the mail to it, once. Every session ends but the one in which the change was
/// asked for, and the former address is told.
#[utoipa::path(
    post,
    path = "/auth/v1/email-changes/confirm",
    operation_id = "confirmEmailChange",
    tag = "users",
    request_body = ConfirmEmailChangeRequest,
    responses(
        (status = 204, description = "Changed: log in with it from now on"),
        (status = 400, description = "`invalid-mail-token` or `malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`email-taken`: the address has got an account meanwhile", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    Json(request): Json<ConfirmEmailChangeRequest>,
) -> Result<HttpResponse, Problem> {
    confirm_email_change(&context, &request.token, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
