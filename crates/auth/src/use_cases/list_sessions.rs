use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{context::Context, store::session};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ListSessionsError {
    #[error("the actor may not see sessions")]
    Forbidden,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// One's own sessions that have not ended, the last used first: at most [`session::MAX_LISTED`].
pub(crate) async fn list_sessions(
    context: &Context,
    actor: &Actor,
) -> Result<Vec<session::Model>, ListSessionsError> {
    if !actor.may(Permission::ManageOwnSessions) {
        return Err(ListSessionsError::Forbidden);
    }
    let reader = context.database.reader();
    Ok(session::list_active(reader, actor.user_id, context.now()).await?)
}
