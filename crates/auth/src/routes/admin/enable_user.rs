use actix_web::{HttpResponse, web};
use service_kit::{access_token::Authenticated, problem::Problem};

use super::user_id;
use crate::{context::Context, origin::Origin, use_cases::admin};

/// Enable an account.
///
/// The person can log in again. Needs a recent proof of identity.
#[utoipa::path(
    post,
    path = "/auth/v1/admin/users/{id}/enable",
    operation_id = "enableUser",
    tag = "admin",
    params(("id" = uuid::Uuid, Path, description = "The user")),
    responses(
        (status = 204, description = "It is enabled"),
        (status = 403, description = "`own-account`"),
        (status = 404, description = "`user-not-found`"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin::enable_user(&context, caller.actor(), user_id(&id)?, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
