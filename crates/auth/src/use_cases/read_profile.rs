use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{context::Context, store::user};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadProfileError {
    #[error("the actor may not read a profile")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// One's own account.
pub(crate) async fn read_profile(
    context: &Context,
    actor: &Actor,
) -> Result<user::Model, ReadProfileError> {
    if !actor.may(Permission::ReadOwnProfile) {
        return Err(ReadProfileError::Forbidden);
    }
    user::find(context.database.reader(), actor.user_id)
        .await?
        .filter(|user| user.disabled_at.is_none())
        .ok_or(ReadProfileError::Gone)
}
