use kernel::{Actor, Permission};
use uuid::Uuid;

use super::{AdminError, Slice, Sliced};
use crate::{context::Context, store::audit_event};

/// Which events are wanted: those of which all that is given is true.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditFilter {
    pub actor_id: Option<Uuid>,
    pub target_id: Option<String>,
    pub action: Option<String>,
}

/// The audit log, the newest first.
pub(crate) async fn list_audit_events(
    context: &Context,
    actor: &Actor,
    filter: &AuditFilter,
    slice: Slice,
) -> Result<Sliced<audit_event::Model>, AdminError> {
    if !actor.may(Permission::ReadAuditLog) {
        return Err(AdminError::Forbidden);
    }
    let reader = context.database.reader();
    let events = audit_event::list(reader, filter, slice.rows()).await?;
    Ok(slice.of(events, |event| event.id))
}
