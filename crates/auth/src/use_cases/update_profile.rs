use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    display_name::DisplayName,
    origin::Origin,
    store::user,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateProfileError {
    #[error("the actor may not change a profile")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Changes how one is called, and returns one's own account.
pub(crate) async fn update_profile(
    context: &Context,
    actor: &Actor,
    name: &DisplayName,
    origin: &Origin,
) -> Result<user::Model, UpdateProfileError> {
    if !actor.may(Permission::UpdateOwnProfile) {
        return Err(UpdateProfileError::Forbidden);
    }
    let transaction = context.database.begin().await?;
    let now = context.now();
    let user = user::find_for_update(&context.database, &transaction, actor.user_id)
        .await?
        .filter(user::Model::is_active)
        .ok_or(UpdateProfileError::Gone)?;
    user::rename(&transaction, user.user_id(), name.as_str(), now).await?;
    let event = Event::new(actor.into(), Action::ProfileUpdated, actor.user_id, origin);
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    Ok(user::Model {
        name: name.as_str().to_owned(),
        ..user
    })
}
