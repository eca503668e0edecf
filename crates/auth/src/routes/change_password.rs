use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{database_problem, password_problem, policy_problem};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::change_password::{ChangePasswordError, change_password},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePasswordRequest {
    #[schema(format = "password", example = "correct horse battery staple")]
    current_password: String,
    /// Eight characters will do where a second factor is on.
    #[schema(
        format = "password",
        min_length = 8,
        max_length = 128,
        example = "a plumb line hangs straight"
    )]
    new_password: String,
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Forbidden => Self::new(ErrorCode::Forbidden),
            ChangePasswordError::Gone => Self::new(ErrorCode::InvalidToken),
            ChangePasswordError::WrongPassword => Self::new(ErrorCode::Validation).field(
                "current_password",
                "wrong-password",
                "is not the account's password",
            ),
            ChangePasswordError::Policy(violation) => policy_problem("new_password", violation),
            ChangePasswordError::Password(error) => password_problem(error),
            ChangePasswordError::Database(error) => database_problem(error),
            ChangePasswordError::TooMany(error) => error.into(),
            ChangePasswordError::Address(_) | ChangePasswordError::Mail(_) => Self::internal(error),
        }
    }
}

/// Change one's own password.
///
/// A wrong current password is the field error `wrong-password`. Every other session of the account
/// ends, and its owner is told by mail. The log-in must be recent. An account without a password
/// gets one by a password reset.
#[utoipa::path(
    put,
    path = "/auth/v1/me/password",
    operation_id = "changePassword",
    tag = "passwords",
    security(("bearer" = [])),
    request_body = ChangePasswordRequest,
    responses(
        (status = 204, description = "Changed"),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`hash-capacity` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<HttpResponse, Problem> {
    let ChangePasswordRequest {
        current_password,
        new_password,
    } = request;
    let actor = caller.actor();
    change_password(&context, actor, &current_password, new_password, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
