use actix_web::{HttpResponse, web};
use service_kit::{access_token::Authenticated, problem::Problem};

use super::{User, user_id};
use crate::{context::Context, use_cases::admin};

/// Read an account.
///
/// Anybody's.
#[utoipa::path(
    get,
    path = "/auth/v1/admin/users/{id}",
    operation_id = "readUser",
    tag = "admin",
    params(("id" = uuid::Uuid, Path, description = "The user")),
    responses(
        (status = 200, description = "The account", body = User),
        (status = 404, description = "`user-not-found`"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = admin::read_user(&context, caller.actor(), user_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(User::from(user)))
}
