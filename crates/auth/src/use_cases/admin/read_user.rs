use kernel::{Actor, Permission, UserId};

use super::AdminError;
use crate::{context::Context, store::user};

/// Anybody's account.
pub(crate) async fn read_user(
    context: &Context,
    actor: &Actor,
    id: UserId,
) -> Result<user::Model, AdminError> {
    if !actor.may(Permission::ReadUsers) {
        return Err(AdminError::Forbidden);
    }
    let user = user::find(context.database.reader(), id).await?;
    user.ok_or(AdminError::NotFound)
}
