use kernel::{Actor, Permission, UserId};
use serde_json::json;

use super::AdminError;
use crate::{
    audit::{self, Action, Event},
    context::Context,
    origin::Origin,
    store::{session::Which, user},
    use_cases::revoke_sessions::end_sessions,
};

/// Logs somebody out everywhere.
pub(crate) async fn end_user_sessions(
    context: &Context,
    actor: &Actor,
    id: UserId,
    origin: &Origin,
) -> Result<(), AdminError> {
    if !actor.may(Permission::RevokeUserSessions) {
        return Err(AdminError::Forbidden);
    }
    let now = context.now();
    let transaction = context.database.begin().await?;
    let user = user::find(&transaction, id).await?;
    user.ok_or(AdminError::NotFound)?;
    let ended = end_sessions(&transaction, id, Which::All, now).await?;
    let event = Event::new(actor.into(), Action::UserSessionsRevoked, id, origin)
        .details(json!({"sessions": ended.count()}));
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    ended.announce(context).await;
    Ok(())
}
