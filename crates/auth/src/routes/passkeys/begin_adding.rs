use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use super::Ceremony;
use crate::{
    context::Context,
    routes::secret_answer,
    use_cases::passkeys::{AddPasskeyError, begin_adding_passkey},
};

impl From<AddPasskeyError> for Problem {
    fn from(error: AddPasskeyError) -> Self {
        match error {
            AddPasskeyError::Forbidden => Self::new(ErrorCode::Forbidden),
            AddPasskeyError::TooMany => Self::new(ErrorCode::TooManyPasskeys),
            AddPasskeyError::Taken => Self::new(ErrorCode::PasskeyTaken),
            AddPasskeyError::Ceremony(error) => error.into(),
            AddPasskeyError::Change(error) => error.into(),
        }
    }
}

/// Ask for a passkey.
///
/// What a page hands to `navigator.credentials.create`. The authenticator must verify its user and
/// keep the key itself.
#[utoipa::path(
    post,
    path = "/auth/v1/me/passkeys/options",
    operation_id = "beginAddingPasskey",
    tag = "passkeys",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "What to ask the authenticator", body = Ceremony<Object>),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`passkeys-unavailable` or `too-many-passkeys`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let (ticket, options) = begin_adding_passkey(&context, caller.actor()).await?;
    let ceremony = ticket.expose();
    let answer = Ceremony { ceremony, options };
    Ok(secret_answer(HttpResponse::Ok(), &answer))
}
