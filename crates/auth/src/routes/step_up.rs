use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::{Deserialize, Serialize};
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{database_problem, password_problem, second_factor};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::step_up::{Proof, StepUpError, step_up},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepUpRequest {
    /// Of an account that has one.
    #[schema(format = "password", example = "plumbline-demo-password")]
    password: Option<String>,
    /// Six digits of the authenticator app, of an account that has one.
    #[schema(example = "287082")]
    code: Option<String>,
    /// Instead of `code`.
    #[schema(example = "0123-4567-89AB-CDEF-GHJK-MNPQ")]
    recovery_code: Option<String>,
}

/// The refresh token stays what it is.
#[derive(Serialize, utoipa::ToSchema)]
struct SteppedUpAnswer {
    /// A JWT, with the time of this proof as `auth_time`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Of the access token, in seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// The same as before.
    session_id: uuid::Uuid,
}

impl From<StepUpError> for Problem {
    fn from(error: StepUpError) -> Self {
        match error {
            StepUpError::Forbidden => Self::new(ErrorCode::Forbidden),
            StepUpError::Gone => Self::new(ErrorCode::InvalidToken),
            StepUpError::WrongPassword => Self::new(ErrorCode::InvalidCredentials),
            StepUpError::SecondFactorMissing => second_factor::missing(),
            StepUpError::SecondFactorUnknown => Self::new(ErrorCode::MfaNotEnabled),
            StepUpError::WrongCode => Self::new(ErrorCode::InvalidSecondFactor),
            StepUpError::Locked { retry_after } => second_factor::locked(retry_after),
            StepUpError::TooMany(error) => error.into(),
            StepUpError::Password(error) => password_problem(error),
            StepUpError::SecondFactor(error) => error.into(),
            StepUpError::Database(error) => database_problem(error),
            StepUpError::Address(_) | StepUpError::Sign(_) | StepUpError::Role(_) => {
                Self::internal(error)
            }
        }
    }
}

/// Prove again who one is.
///
/// What changes credentials, and what deletes or exports an account, asks for a proof that is not
/// older than five minutes, and answers 401 `step-up-required` else (RFC 9470). This is the way
/// on: with everything that the account has to prove it with, the password and the second factor.
/// The answer is an access token of the same session. Who has neither logs in anew instead.
#[utoipa::path(
    post,
    path = "/auth/v1/step-up",
    operation_id = "stepUp",
    tag = "sessions",
    security(("bearer" = [])),
    request_body = StepUpRequest,
    responses(
        (status = 200, description = "Proved", body = SteppedUpAnswer),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token`, `invalid-credentials` or `invalid-second-factor`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: API keys and service accounts have nothing to prove", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`mfa-not-enabled`: the account has no second factor, leave it out", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`: also where a second factor is missing", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`second-factor-locked` or `too-many-requests`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`hash-capacity` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<StepUpRequest>,
) -> Result<HttpResponse, Problem> {
    let proof = Proof {
        password: request.password,
        second_factor: second_factor::parse(request.code, request.recovery_code)?,
    };
    let stepped_up = step_up(&context, caller.actor(), proof, &origin).await?;
    let answer = SteppedUpAnswer {
        access_token: stepped_up.access_token,
        token_type: "Bearer",
        expires_in: context.access_tokens.lifetime.num_seconds(),
        session_id: stepped_up.session_id.as_uuid(),
    };
    Ok(super::secret_answer(HttpResponse::Ok(), &answer))
}
