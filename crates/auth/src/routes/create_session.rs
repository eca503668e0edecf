use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::Email;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{
    SessionAnswer,
    browser::{Browser, RefreshTokenTransport},
    database_problem,
    logged_in::{self, MfaRequired},
    password_problem,
};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::{
        begin_session::BeginSessionError,
        log_in::{Credentials, LogInError, log_in},
    },
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSessionRequest {
    #[schema(format = "email", max_length = 254, example = "customer@example.com")]
    email: String,
    #[schema(format = "password", example = "plumbline-demo-password")]
    password: String,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_transport: RefreshTokenTransport,
}

impl CreateSessionRequest {
    fn parse(self) -> Result<Credentials, Problem> {
        let email = Email::parse(&self.email).map_err(|error| {
            Problem::new(ErrorCode::Validation).field("email", "invalid", error.to_string())
        })?;
        Ok(Credentials {
            email,
            password: self.password,
        })
    }
}

impl From<BeginSessionError> for Problem {
    fn from(error: BeginSessionError) -> Self {
        match error {
            BeginSessionError::Database(error) => database_problem(error),
            BeginSessionError::Random(_)
            | BeginSessionError::Sign(_)
            | BeginSessionError::Role(_) => Self::internal(error),
        }
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => Self::new(ErrorCode::InvalidCredentials),
            LogInError::EmailUnverified => Self::new(ErrorCode::EmailUnverified),
            LogInError::AccountDisabled => Self::new(ErrorCode::AccountDisabled),
            LogInError::TooMany(error) => error.into(),
            LogInError::Password(error) => password_problem(error),
            LogInError::Database(error) => database_problem(error),
            LogInError::Begin(error) => error.into(),
        }
    }
}

/// Log in.
///
/// An unknown address and a wrong password get the same answer after the same work. That an
/// account is unverified, disabled or has a second factor shows only to whoever knows its password.
///
/// Of an account with a second factor the answer is 202 with a challenge: exchange it at
/// `POST /auth/v1/sessions/mfa` for the session.
#[utoipa::path(
    post,
    path = "/auth/v1/sessions",
    operation_id = "createSession",
    tag = "sessions",
    request_body = CreateSessionRequest,
    responses(
        (status = 201, description = "Logged in", body = SessionAnswer),
        (status = 202, description = "The password is right, and a second factor is awaited", body = MfaRequired),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid-credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email-unverified`, `account-disabled` or `cross-site-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`hash-capacity` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    browser: Browser,
    Json(request): Json<CreateSessionRequest>,
) -> Result<HttpResponse, Problem> {
    let transport = request.refresh_token_transport;
    browser.check(transport)?;
    let result = log_in(&context, request.parse()?, &origin).await;
    logged_in::count(&result);
    Ok(logged_in::answer(&context, result?, transport))
}
