use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::Email;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::database_problem;
use crate::{
    context::Context,
    origin::Origin,
    use_cases::request_password_reset::{RequestPasswordResetError, request_password_reset},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestPasswordResetRequest {
    #[schema(format = "email", max_length = 254, example = "ada@example.com")]
    email: String,
}

impl RequestPasswordResetRequest {
    fn parse(&self) -> Result<Email, Problem> {
        Email::parse(&self.email).map_err(|error| {
            Problem::new(ErrorCode::Validation).field("email", "invalid", error.to_string())
        })
    }
}

impl From<RequestPasswordResetError> for Problem {
    fn from(error: RequestPasswordResetError) -> Self {
        match error {
            RequestPasswordResetError::Database(error) => database_problem(error),
            RequestPasswordResetError::Mail(error) => Self::internal(error),
        }
    }
}

/// Ask for a password reset.
///
/// The answer does not tell whether the address has an account. If it has one that is in use, a mail
/// to it has a token that works for 30 minutes; the tokens of earlier mails work no more.
#[utoipa::path(
    post,
    path = "/auth/v1/password-resets",
    operation_id = "requestPasswordReset",
    tag = "passwords",
    request_body = RequestPasswordResetRequest,
    responses(
        (status = 202, description = "A mail is on its way, if there is such an account", body = inline(super::Nothing)),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    Json(request): Json<RequestPasswordResetRequest>,
) -> Result<HttpResponse, Problem> {
    request_password_reset(&context, &request.parse()?, &origin).await?;
    Ok(super::secret_answer(
        HttpResponse::Accepted(),
        &super::Nothing {},
    ))
}
