use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::Email;
use serde::Deserialize;
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::database_problem;
use crate::{
    context::Context,
    origin::Origin,
    use_cases::request_email_change::{RequestEmailChangeError, request_email_change},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestEmailChangeRequest {
    #[schema(format = "email", max_length = 254, example = "ada.king@example.com")]
    email: String,
}

impl From<RequestEmailChangeError> for Problem {
    fn from(error: RequestEmailChangeError) -> Self {
        match error {
            RequestEmailChangeError::Forbidden => Self::new(ErrorCode::Forbidden),
            RequestEmailChangeError::Gone => Self::new(ErrorCode::InvalidToken),
            RequestEmailChangeError::Unchanged => Self::new(ErrorCode::Validation).field(
                "email",
                "unchanged",
                "is the account's address already",
            ),
            RequestEmailChangeError::Database(error) => database_problem(error),
            RequestEmailChangeError::Mail(error) => Self::internal(error),
        }
    }
}

/// Ask for another e-mail address.
///
/// The answer does not tell whether the new address has an account. A mail to it has a token that
/// confirms the change within 24 hours, or says that there is an account already; the present
/// address is told, too. The log-in must be recent.
#[utoipa::path(
    post,
    path = "/auth/v1/me/email",
    operation_id = "requestEmailChange",
    tag = "users",
    security(("bearer" = [])),
    request_body = RequestEmailChangeRequest,
    responses(
        (status = 202, description = "Mails are on their way to both addresses", body = inline(super::Nothing)),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<RequestEmailChangeRequest>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&request.email).map_err(|error| {
        Problem::new(ErrorCode::Validation).field("email", "invalid", error.to_string())
    })?;
    request_email_change(&context, caller.actor(), &email, &origin).await?;
    Ok(super::secret_answer(
        HttpResponse::Accepted(),
        &super::Nothing {},
    ))
}
