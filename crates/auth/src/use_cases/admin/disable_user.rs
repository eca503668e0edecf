use kernel::{Actor, Permission, UserId};
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

/// Ends somebody else's sessions and lets them begin no new one.
pub(crate) async fn disable_user(
    context: &Context,
    actor: &Actor,
    id: UserId,
    origin: &Origin,
) -> Result<(), AdminError> {
    let what = (Action::UserDisabled, Permission::DisableUsers);
    let deed = Deed::begin(context, actor, what, id, origin).await?;
    let transaction = context.database.begin().await?;
    let (target, is_last) = deed.lock_target(&transaction).await?;
    if is_last == IsLastAdmin(true) {
        drop(transaction);
        deed.record_refusal().await?;
        return Err(AdminError::LastAdmin);
    }
    if target.disabled_at.is_some() {
        return Ok(());
    }
    user::set_disabled(&transaction, id, Some(deed.now), deed.now).await?;
    let ended = end_sessions(&transaction, id, Which::All, deed.now).await?;
    let event = deed.event().details(json!({"sessions": ended.count()}));
    audit::record(&transaction, event, deed.now).await?;
    transaction.commit().await?;
    ended.announce(context).await;
    Ok(())
}
