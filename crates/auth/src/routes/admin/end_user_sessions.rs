use actix_web::{HttpResponse, web};
use service_kit::{access_token::Authenticated, problem::Problem};

use super::user_id;
use crate::{context::Context, origin::Origin, use_cases::admin};

/// Log somebody out everywhere.
///
/// All their refresh tokens stop to work; every service refuses their access tokens within a second.
#[utoipa::path(
    delete,
    path = "/auth/v1/admin/users/{id}/sessions",
    operation_id = "endUserSessions",
    tag = "admin",
    params(("id" = uuid::Uuid, Path, description = "The user")),
    responses(
        (status = 204, description = "They have ended"),
        (status = 404, description = "`user-not-found`"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin::end_user_sessions(&context, caller.actor(), user_id(&id)?, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
