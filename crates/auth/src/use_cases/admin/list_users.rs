use kernel::{Actor, Permission};

use super::{AdminError, Slice, Sliced};
use crate::{
    context::Context,
    store::user::{self, UserFilter},
};

/// Accounts, the oldest first; with a search, those whose address or name begins with it.
pub(crate) async fn list_users(
    context: &Context,
    actor: &Actor,
    search: Option<&str>,
    slice: Slice,
) -> Result<Sliced<user::Model>, AdminError> {
    if !actor.may(Permission::ReadUsers) {
        return Err(AdminError::Forbidden);
    }
    let filter = UserFilter {
        search,
        ..UserFilter::default()
    };
    let users = user::list(&context.database, filter, slice.rows()).await?;
    Ok(slice.of(users, |user| user.id))
}
