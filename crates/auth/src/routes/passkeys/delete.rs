use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};
use uuid::Uuid;

use crate::{
    context::Context,
    origin::Origin,
    routes::database_problem,
    use_cases::passkeys::{DeletePasskeyError, delete_passkey},
};

impl From<DeletePasskeyError> for Problem {
    fn from(error: DeletePasskeyError) -> Self {
        match error {
            DeletePasskeyError::Forbidden => Self::new(ErrorCode::Forbidden),
            DeletePasskeyError::NotFound => Self::new(ErrorCode::PasskeyNotFound),
            DeletePasskeyError::Database(error) => database_problem(error),
            DeletePasskeyError::Change(error) => error.into(),
        }
    }
}

/// Delete one of one's own passkeys.
///
/// It logs nobody in any more. Another person's is not found.
#[utoipa::path(
    delete,
    path = "/auth/v1/me/passkeys/{id}",
    operation_id = "deletePasskey",
    tag = "passkeys",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The passkey")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`passkey-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: Uuid = id
        .parse()
        .map_err(|_| Problem::new(ErrorCode::PasskeyNotFound))?;
    delete_passkey(&context, caller.actor(), id, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
