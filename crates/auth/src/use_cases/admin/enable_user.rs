use kernel::{Actor, Permission, UserId};

use super::{AdminError, guarded::Deed};
use crate::{
    audit::{self, Action},
    context::Context,
    origin::Origin,
    store::user,
};

/// Lets somebody else log in again.
pub(crate) async fn enable_user(
    context: &Context,
    actor: &Actor,
    id: UserId,
    origin: &Origin,
) -> Result<(), AdminError> {
    let what = (Action::UserEnabled, Permission::DisableUsers);
    let deed = Deed::begin(context, actor, what, id, origin).await?;
    let transaction = context.database.begin().await?;
    let (target, _) = deed.lock_target(&transaction).await?;
    if target.disabled_at.is_none() {
        return Ok(());
    }
    user::set_disabled(&transaction, id, None, deed.now).await?;
    audit::record(&transaction, deed.event(), deed.now).await?;
    transaction.commit().await?;
    Ok(())
}
