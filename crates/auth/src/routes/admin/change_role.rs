use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::Role;
use serde::Deserialize;
use service_kit::{access_token::Authenticated, json::Json, problem::Problem};

use super::user_id;
use crate::{context::Context, origin::Origin, use_cases::admin};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct ChangeRoleRequest {
    /// `customer`, `support` or `admin`.
    #[schema(example = "support")]
    role: String,
}

impl ChangeRoleRequest {
    /// A person is never a service.
    fn parse(&self) -> Result<Role, Problem> {
        let role = self.role.parse().ok();
        role.filter(|role| Role::OF_PEOPLE.contains(role))
            .ok_or_else(|| {
                let roles = Role::OF_PEOPLE.map(Role::as_str).join(", ");
                let message = format!("one of {roles}");
                Problem::new(ErrorCode::Validation).field("role", "invalid", message)
            })
    }
}

/// Change somebody's role.
///
/// Their sessions end: they log in again, as what they are then. Nobody changes their own role, and
/// the last admin stays one. Needs a recent proof of identity.
#[utoipa::path(
    put,
    path = "/auth/v1/admin/users/{id}/role",
    operation_id = "changeRole",
    tag = "admin",
    params(("id" = uuid::Uuid, Path, description = "The user")),
    request_body = ChangeRoleRequest,
    responses(
        (status = 204, description = "It is changed"),
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
    Json(request): Json<ChangeRoleRequest>,
) -> Result<HttpResponse, Problem> {
    let role = request.parse()?;
    admin::change_role(&context, caller.actor(), user_id(&id)?, role, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
