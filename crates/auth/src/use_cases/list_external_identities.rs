use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{context::Context, store::external_identity};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ListExternalIdentitiesError {
    #[error("the actor may not see how one logs in")]
    Forbidden,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The identities that open one's own account, oldest first.
pub(crate) async fn list_external_identities(
    context: &Context,
    actor: &Actor,
) -> Result<Vec<external_identity::Model>, ListExternalIdentitiesError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(ListExternalIdentitiesError::Forbidden);
    }
    let reader = context.database.reader();
    Ok(external_identity::of_user(reader, actor.user_id).await?)
}
