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
    use_cases::request_email_verification::{
        RequestEmailVerificationError, request_email_verification,
    },
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestEmailVerificationRequest {
    #[schema(format = "email", max_length = 254, example = "ada@example.com")]
    email: String,
}

impl RequestEmailVerificationRequest {
    fn parse(&self) -> Result<Email, Problem> {
        Email::parse(&self.email).map_err(|error| {
            Problem::new(ErrorCode::Validation).field("email", "invalid", error.to_string())
        })
    }
}

impl From<RequestEmailVerificationError> for Problem {
    fn from(error: RequestEmailVerificationError) -> Self {
        match error {
            RequestEmailVerificationError::Database(error) => database_problem(error),
            RequestEmailVerificationError::Mail(error) => Self::internal(error),
        }
    }
}

/// Send the mail of a registration again.
///
/// The answer does not tell whether the address has an account. If it awaits its confirmation, a mail
/// to it has a new token that works for 24 hours.
#[utoipa::path(
    post,
    path = "/auth/v1/email-verifications",
    operation_id = "requestEmailVerification",
    tag = "users",
    request_body = RequestEmailVerificationRequest,
    responses(
        (status = 202, description = "A mail is on its way, if there is something to confirm", body = inline(super::Nothing)),
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
    Json(request): Json<RequestEmailVerificationRequest>,
) -> Result<HttpResponse, Problem> {
    request_email_verification(&context, &request.parse()?, &origin).await?;
    Ok(super::secret_answer(
        HttpResponse::Accepted(),
        &super::Nothing {},
    ))
}
