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
    use_cases::unlink_external_identity::{UnlinkExternalIdentityError, unlink_external_identity},
};

impl From<UnlinkExternalIdentityError> for Problem {
    fn from(error: UnlinkExternalIdentityError) -> Self {
        match error {
            UnlinkExternalIdentityError::Forbidden => Self::new(ErrorCode::Forbidden),
            UnlinkExternalIdentityError::NotFound => Self::new(ErrorCode::ExternalIdentityNotFound),
            UnlinkExternalIdentityError::LastCredential => Self::new(ErrorCode::LastCredential),
            UnlinkExternalIdentityError::Database(error) => database_problem(error),
        }
    }
}

/// Unlink an external identity.
///
/// It opens one's own account no longer. The only way to log in can't be removed. One must have
/// proved who one is within the last five minutes.
#[utoipa::path(
    delete,
    path = "/auth/v1/me/external-identities/{id}",
    operation_id = "unlinkExternalIdentity",
    tag = "external log-in",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Of `GET /auth/v1/me/external-identities`")),
    responses(
        (status = 204, description = "It is unlinked"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`external-identity-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last-credential`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    id: web::Path<String>,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let id: Uuid = id
        .parse()
        .map_err(|_| UnlinkExternalIdentityError::NotFound)?;
    unlink_external_identity(&context, caller.actor(), id, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
