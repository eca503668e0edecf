//! The answer to the first step of a log-in, whichever way it went.

use actix_web::HttpResponse;
use serde::Serialize;

use super::{browser::RefreshTokenTransport, secret_answer};
use crate::{
    context::Context,
    use_cases::finish_log_in::{CHALLENGE_LIFETIME, LoggedIn},
};

/// A second factor is awaited.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MfaRequired {
    #[schema(example = true)]
    mfa_required: bool,
    /// For `POST /auth/v1/sessions/mfa`. Works once, and bears five wrong codes.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    challenge: String,
    /// Of the challenge, in seconds.
    #[schema(example = 300)]
    expires_in: i64,
    /// What it can be answered with: the members of that request.
    #[schema(example = json!(["code", "recovery_code"]))]
    methods: [&'static str; 2],
}

/// Counts a log-in by what came of it.
pub(super) fn count<E>(result: &Result<LoggedIn, E>) {
    let outcome = match result {
        Ok(LoggedIn::Session(_)) => "ok",
        Ok(LoggedIn::SecondFactorRequired(_)) => "mfa_required",
        Err(_) => "refused",
    };
    metrics::counter!("plumbline_logins_total", "outcome" => outcome).increment(1);
}

/// 201 with the tokens, or 202 with a challenge.
pub(super) fn answer(
    context: &Context,
    logged_in: LoggedIn,
    transport: RefreshTokenTransport,
) -> HttpResponse {
    match logged_in {
        LoggedIn::Session(tokens) => transport.answer(context, HttpResponse::Created(), tokens),
        LoggedIn::SecondFactorRequired(challenge) => {
            let answer = MfaRequired {
                mfa_required: true,
                challenge: challenge.expose(),
                expires_in: CHALLENGE_LIFETIME.num_seconds(),
                methods: ["code", "recovery_code"],
            };
            secret_answer(HttpResponse::Accepted(), &answer)
        }
    }
}
