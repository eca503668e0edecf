use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{
    SessionAnswer,
    browser::{Browser, RefreshTokenTransport},
    database_problem, second_factor,
};
use crate::{
    context::Context,
    origin::Origin,
    use_cases::answer_challenge::{AnswerChallengeError, answer_challenge},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerChallengeRequest {
    /// From the answer 202 to a log-in.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    challenge: String,
    /// Six digits of the authenticator app.
    #[schema(example = "287082")]
    code: Option<String>,
    /// Instead of `code`.
    #[schema(example = "0123-4567-89AB-CDEF-GHJK-MNPQ")]
    recovery_code: Option<String>,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_transport: RefreshTokenTransport,
}

impl From<AnswerChallengeError> for Problem {
    fn from(error: AnswerChallengeError) -> Self {
        match error {
            AnswerChallengeError::InvalidChallenge => Self::new(ErrorCode::InvalidChallenge),
            AnswerChallengeError::WrongCode => Self::new(ErrorCode::InvalidSecondFactor),
            AnswerChallengeError::Locked { retry_after } => second_factor::locked(retry_after),
            AnswerChallengeError::SecondFactor(error) => error.into(),
            AnswerChallengeError::Database(error) => database_problem(error),
            AnswerChallengeError::Begin(error) => error.into(),
        }
    }
}

/// Give the second factor of a log-in.
///
/// Exchanges the challenge of a log-in, and a code of the authenticator app or a recovery code, for
/// a session. Every one of them works once. The fifth wrong code ends the challenge; every tenth in
/// a row, over all challenges of the account, locks its app for a quarter of an hour at first, up
/// to a day. A recovery code works also then.
#[utoipa::path(
    post,
    path = "/auth/v1/sessions/mfa",
    operation_id = "answerChallenge",
    tag = "sessions",
    request_body = AnswerChallengeRequest,
    responses(
        (status = 201, description = "Logged in", body = SessionAnswer),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid-second-factor`, or `invalid-challenge`: begin the log-in again", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`cross-site-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`second-factor-locked` or `too-many-requests`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    browser: Browser,
    Json(request): Json<AnswerChallengeRequest>,
) -> Result<HttpResponse, Problem> {
    browser.check(request.refresh_token_transport)?;
    let answer = second_factor::parse(request.code, request.recovery_code)?;
    let answer = answer.ok_or_else(second_factor::missing)?;
    let tokens = answer_challenge(&context, &request.challenge, &answer, &origin).await?;
    metrics::counter!("plumbline_logins_total", "outcome" => "ok").increment(1);
    let transport = request.refresh_token_transport;
    Ok(transport.answer(&context, HttpResponse::Created(), tokens))
}
