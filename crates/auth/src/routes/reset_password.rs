use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{database_problem, password_problem, policy_problem};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::reset_password::{ResetPasswordError, reset_password},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetPasswordRequest {
    /// From the mail.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    token: String,
    /// Eight characters will do where a second factor is on.
    #[schema(
        format = "password",
        min_length = 8,
        max_length = 128,
        example = "correct horse battery staple"
    )]
    password: String,
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::InvalidToken => Self::new(ErrorCode::InvalidMailToken),
            ResetPasswordError::Policy(violation) => policy_problem("password", violation),
            ResetPasswordError::Password(error) => password_problem(error),
            ResetPasswordError::Database(error) => database_problem(error),
            ResetPasswordError::Mail(error) => Self::internal(error),
        }
    }
}

/// Choose a new password with a mail's token.
///
/// Once. Every session of the account ends, and its owner is told by mail. Log in afterwards: with
/// the second factor, where there is one.
#[utoipa::path(
    post,
    path = "/auth/v1/password-resets/confirm",
    operation_id = "resetPassword",
    tag = "passwords",
    request_body = ResetPasswordRequest,
    responses(
        (status = 204, description = "Changed: log in now"),
        (status = 400, description = "`invalid-mail-token` or `malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`hash-capacity` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    Json(request): Json<ResetPasswordRequest>,
) -> Result<HttpResponse, Problem> {
    let ResetPasswordRequest { token, password } = request;
    reset_password(&context, &token, password, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
