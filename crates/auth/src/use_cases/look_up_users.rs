use kernel::{Actor, Permission, UserId};
use sea_orm::DbErr;

use crate::{context::Context, store::user};

#[derive(Debug, thiserror::Error)]
pub(crate) enum LookUpError {
    #[error("the actor may not look users up")]
    Forbidden,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The users with these ids, in no particular order. Who does not exist or has left is absent.
pub(crate) async fn look_up_users(
    context: &Context,
    actor: &Actor,
    ids: &[UserId],
) -> Result<Vec<user::Model>, LookUpError> {
    if !actor.may(Permission::LookUpUsers) {
        return Err(LookUpError::Forbidden);
    }
    Ok(user::find_present(context.database.reader(), ids).await?)
}
