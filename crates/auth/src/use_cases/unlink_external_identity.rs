use kernel::{Actor, Permission};
use sea_orm::DbErr;
use serde_json::json;
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    origin::Origin,
    store::{external_identity, user},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum UnlinkExternalIdentityError {
    #[error("the actor may not change how one logs in")]
    Forbidden,
    #[error("the actor's account has no such identity")]
    NotFound,
    #[error("the account could not be logged in to any more")]
    LastCredential,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Takes an identity from one's own account, unless it is the only way to log in.
pub(crate) async fn unlink_external_identity(
    context: &Context,
    actor: &Actor,
    identity_id: Uuid,
    origin: &Origin,
) -> Result<(), UnlinkExternalIdentityError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(UnlinkExternalIdentityError::Forbidden);
    }
    let transaction = context.database.begin().await?;
    // Two at once must not each leave the other's identity as the last.
    let user = user::find_for_update(&context.database, &transaction, actor.user_id)
        .await?
        .ok_or(UnlinkExternalIdentityError::NotFound)?;
    let identities = external_identity::of_user(&transaction, actor.user_id).await?;
    let identity = identities
        .iter()
        .find(|identity| identity.id == identity_id)
        .ok_or(UnlinkExternalIdentityError::NotFound)?;
    if user.password_hash.is_none() && identities.len() == 1 {
        return Err(UnlinkExternalIdentityError::LastCredential);
    }
    external_identity::delete(&transaction, identity.id).await?;
    let by = By::from(actor);
    let event = Event::new(by, Action::ExternalIdentityUnlinked, actor.user_id, origin)
        .details(json!({"provider": identity.provider, "identity_id": identity.id}));
    audit::record(&transaction, event, context.now()).await?;
    transaction.commit().await?;
    Ok(())
}
