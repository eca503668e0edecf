use actix_web::{HttpResponse, web};
use service_kit::problem::{Problem, ProblemBody};

use super::Ceremony;
use crate::{context::Context, routes::secret_answer, use_cases::passkeys::begin_passkey_log_in};

/// Ask to log in with a passkey.
///
/// What a page hands to `navigator.credentials.get`. The passkey itself tells whose it is, so there
/// is no name to give and nothing to find out.
#[utoipa::path(
    post,
    path = "/auth/v1/sessions/passkey/options",
    operation_id = "beginPasskeyLogIn",
    tag = "passkeys",
    responses(
        (status = 200, description = "What to ask the authenticator", body = Ceremony<Object>),
        (status = 409, description = "`passkeys-unavailable`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (ticket, options) = begin_passkey_log_in(&context).await?;
    let ceremony = ticket.expose();
    let answer = Ceremony { ceremony, options };
    Ok(secret_answer(HttpResponse::Ok(), &answer))
}
