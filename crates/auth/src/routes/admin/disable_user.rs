use actix_web::{HttpResponse, web};
use service_kit::{access_token::Authenticated, problem::Problem};

use super::user_id;
use crate::{context::Context, origin::Origin, use_cases::admin};

/// Disable an account.
///
/// The person can't log in any more, and their sessions end. Nobody disables themselves or the last
/// admin. Needs a recent proof of identity.
#[utoipa::path(
    post,
    path = "/auth/v1/admin/users/{id}/disable",
    operation_id = "disableUser",
    tag = "admin",
    params(("id" = uuid::Uuid, Path, description = "The user")),
    responses(
        (status = 204, description = "It is disabled"),
        (status = 403, description = "`own-account`"),
        (status = 404, description = "`user-not-found`"),
        (status = 409, description = "`last-admin`"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin::disable_user(&context, caller.actor(), user_id(&id)?, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
