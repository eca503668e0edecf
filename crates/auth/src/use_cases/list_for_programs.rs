//! What other services show to staff. They know who asks them and what that person may see; here a
//! program must be one that is trusted to.

use kernel::{Actor, Permission, Role};

use crate::{
    context::Context,
    store::{
        Rows, audit_event,
        user::{self, UserFilter},
    },
    use_cases::{admin::AuditFilter, look_up_users::LookUpError},
};

/// People who have not left, the oldest first.
pub(crate) async fn list_people(
    context: &Context,
    actor: &Actor,
    search: Option<&str>,
    role: Option<Role>,
    rows: Rows,
) -> Result<Vec<user::Model>, LookUpError> {
    if !actor.may(Permission::ListUsers) {
        return Err(LookUpError::Forbidden);
    }
    let filter = UserFilter {
        search,
        role,
        without_the_deleted: true,
    };
    Ok(user::list(&context.database, filter, rows).await?)
}

/// The audit log, the newest first.
pub(crate) async fn list_events(
    context: &Context,
    actor: &Actor,
    filter: &AuditFilter,
    rows: Rows,
) -> Result<Vec<audit_event::Model>, LookUpError> {
    if !actor.may(Permission::ListAuditEvents) {
        return Err(LookUpError::Forbidden);
    }
    Ok(audit_event::list(context.database.reader(), filter, rows).await?)
}
