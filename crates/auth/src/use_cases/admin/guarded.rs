//! The rules that hold whatever an admin does: never to oneself, and never so that no admin is left.

use chrono::{DateTime, Utc};
use database::Database;
use kernel::{Actor, Permission, Role, UserId};
use sea_orm::{DatabaseTransaction, DbErr};

use super::AdminError;
use crate::{
    audit::{self, Action, Event},
    context::Context,
    origin::Origin,
    store::user,
};

/// Something that an admin is about to do to a user.
pub(super) struct Deed<'a> {
    pub context: &'a Context,
    pub actor: &'a Actor,
    pub action: Action,
    pub target: UserId,
    pub origin: &'a Origin,
    pub now: DateTime<Utc>,
}

impl<'a> Deed<'a> {
    /// Fails unless the actor has the permission. Trying it on oneself is recorded.
    pub(super) async fn begin(
        context: &'a Context,
        actor: &'a Actor,
        (action, permission): (Action, Permission),
        target: UserId,
        origin: &'a Origin,
    ) -> Result<Self, AdminError> {
        if !actor.may(permission) {
            return Err(AdminError::Forbidden);
        }
        let deed = Self {
            context,
            actor,
            action,
            target,
            origin,
            now: context.now(),
        };
        if target == actor.user_id {
            deed.record_refusal().await?;
            return Err(AdminError::OwnAccount);
        }
        Ok(deed)
    }

    /// What the audit log says of it.
    pub(super) fn event(&self) -> Event<'a> {
        Event::new(self.actor.into(), self.action, self.target, self.origin)
    }

    /// Outside of the transaction that is given up, so that it stays.
    pub(super) async fn record_refusal(&self) -> Result<(), DbErr> {
        let event = self.event().refused();
        audit::record(self.context.database.writer(), event, self.now).await
    }

    /// Holds the target until the transaction ends, and all admins before it if the target is one
    /// who might be the last. Everybody locks in this order, so that nobody waits in a circle.
    pub(super) async fn lock_target(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<(user::Model, IsLastAdmin), AdminError> {
        let database = &self.context.database;
        let is_last = is_last_admin(database, transaction, self.target).await?;
        let target = user::find_for_update(database, transaction, self.target).await?;
        let target = target.filter(|user| user.deleted_at.is_none());
        Ok((target.ok_or(AdminError::NotFound)?, is_last))
    }
}

/// Whether nobody could administer anything without a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IsLastAdmin(pub bool);

/// Whether a user is the only admin who can log in. No other transaction changes that until this
/// one ends, so that of two admins who take each other's role one keeps theirs.
pub(crate) async fn is_last_admin(
    database: &Database,
    transaction: &DatabaseTransaction,
    id: UserId,
) -> Result<IsLastAdmin, DbErr> {
    let admins = user::lock_active_of_role(database, transaction, Role::Admin).await?;
    Ok(IsLastAdmin(admins == [id.as_uuid()]))
}
