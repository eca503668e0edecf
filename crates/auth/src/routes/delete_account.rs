use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use super::database_problem;
use crate::{
    context::Context,
    origin::Origin,
    use_cases::delete_account::{DeleteAccountError, delete_account},
};

impl From<DeleteAccountError> for Problem {
    fn from(error: DeleteAccountError) -> Self {
        match error {
            DeleteAccountError::Forbidden => Self::new(ErrorCode::Forbidden),
            DeleteAccountError::Gone => Self::new(ErrorCode::InvalidToken),
            DeleteAccountError::LastAdmin => Self::new(ErrorCode::LastAdmin),
            DeleteAccountError::Database(error) => database_problem(error),
            DeleteAccountError::Mail(error) => Self::internal(error),
        }
    }
}

/// Delete one's own account.
///
/// At once and for good: name, address, password, second factor, keys and linked identities go,
/// every session ends. Orders keep the account's id, which tells nobody who it was. The address may
/// be registered anew. The log-in must be recent.
#[utoipa::path(
    delete,
    path = "/auth/v1/me",
    operation_id = "deleteAccount",
    tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last-admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    delete_account(&context, caller.actor(), &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
