use kernel::{Actor, Permission, Role, UserId};
use serde_json::json;

use super::{
    AdminError,
    guarded::{Deed, IsLastAdmin},
};
use crate::{
    audit::{self, Action},
    context::Context,
    origin::Origin,
    store::{session::Which, user},
    use_cases::revoke_sessions::end_sessions,
};

/// Makes somebody else a customer, support or admin. Their sessions end, and with them the tokens
/// that name the old role.
pub(crate) async fn change_role(
    context: &Context,
    actor: &Actor,
    id: UserId,
    role: Role,
    origin: &Origin,
) -> Result<(), AdminError> {
    let what = (Action::RoleChanged, Permission::ChangeRoles);
    let deed = Deed::begin(context, actor, what, id, origin).await?;
    let transaction = context.database.begin().await?;
    let (target, is_last) = deed.lock_target(&transaction).await?;
    if is_last == IsLastAdmin(true) && role != Role::Admin {
        drop(transaction);
        deed.record_refusal().await?;
        return Err(AdminError::LastAdmin);
    }
    if target.role == role.as_str() {
        return Ok(());
    }
    user::set_role(&transaction, id, role, deed.now).await?;
    let ended = end_sessions(&transaction, id, Which::All, deed.now).await?;
    let details = json!({"from": target.role, "to": role.as_str(), "sessions": ended.count()});
    audit::record(&transaction, deed.event().details(details), deed.now).await?;
    transaction.commit().await?;
    ended.announce(context).await;
    Ok(())
}
