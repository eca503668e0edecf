use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use super::PasskeyBody;
use crate::{
    context::Context,
    routes::{database_problem, secret_answer},
    use_cases::passkeys::{ListPasskeysError, list_passkeys},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct Passkeys {
    /// The oldest first, at most twenty.
    items: Vec<PasskeyBody>,
}

impl From<ListPasskeysError> for Problem {
    fn from(error: ListPasskeysError) -> Self {
        match error {
            ListPasskeysError::Forbidden => Self::new(ErrorCode::Forbidden),
            ListPasskeysError::Database(error) => database_problem(error),
        }
    }
}

/// List one's own passkeys.
///
/// With their names, and when each was used last.
#[utoipa::path(
    get,
    path = "/auth/v1/me/passkeys",
    operation_id = "listPasskeys",
    tag = "passkeys",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "All of them", body = Passkeys),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let passkeys = list_passkeys(&context, caller.actor()).await?;
    let items = passkeys.into_iter().map(PasskeyBody::from).collect();
    Ok(secret_answer(HttpResponse::Ok(), &Passkeys { items }))
}
