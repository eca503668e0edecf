//! Log-out: of one session, or everywhere. Refresh tokens end in the database, access tokens by the
//! revocation list.

use chrono::{DateTime, Utc};
use kernel::{Actor, Permission, SessionId, UserId};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    origin::Origin,
    revocations,
    store::session::{self, Which},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeSessionsError {
    #[error("the actor may not end sessions")]
    Forbidden,
    #[error("the actor has no such session, or it has ended")]
    NotFound,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Ends one of one's own sessions.
pub(crate) async fn revoke_session(
    context: &Context,
    actor: &Actor,
    id: SessionId,
    origin: &Origin,
) -> Result<(), RevokeSessionsError> {
    if !actor.may(Permission::ManageOwnSessions) {
        return Err(RevokeSessionsError::Forbidden);
    }
    let transaction = context.database.begin().await?;
    let now = context.now();
    let ended = end_sessions(&transaction, actor.user_id, Which::Only(id), now).await?;
    if ended.count() == 0 {
        return Err(RevokeSessionsError::NotFound);
    }
    let event = Event::new(actor.into(), Action::SessionRevoked, actor.user_id, origin);
    audit::record(&transaction, event.target("session", id), now).await?;
    transaction.commit().await?;
    ended.announce(context).await;
    Ok(())
}

/// Ends all of one's own sessions, this one too.
pub(crate) async fn revoke_all_sessions(
    context: &Context,
    actor: &Actor,
    origin: &Origin,
) -> Result<(), RevokeSessionsError> {
    if !actor.may(Permission::ManageOwnSessions) {
        return Err(RevokeSessionsError::Forbidden);
    }
    let transaction = context.database.begin().await?;
    let now = context.now();
    let ended = end_sessions(&transaction, actor.user_id, Which::All, now).await?;
    let by = By::from(actor);
    let event = Event::new(by, Action::AllSessionsRevoked, actor.user_id, origin)
        .details(json!({"sessions": ended.count()}));
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    ended.announce(context).await;
    Ok(())
}

/// Ends sessions of a user when the transaction commits: their refresh tokens don't work any more.
pub(crate) async fn end_sessions(
    transaction: &impl ConnectionTrait,
    user_id: UserId,
    which: Which,
    now: DateTime<Utc>,
) -> Result<EndedSessions, DbErr> {
    session::revoke(transaction, user_id, which, now)
        .await
        .map(EndedSessions)
}

/// Sessions that end with a transaction.
#[must_use = "announce them after committing, or their access tokens work on"]
pub(crate) struct EndedSessions(Vec<Uuid>);

impl EndedSessions {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Every service refuses their access tokens within a second. To be called after the commit:
    /// what is announced holds, whether the transaction does or not.
    pub(crate) async fn announce(self, context: &Context) {
        revocations::announce(context, &self.0).await;
    }
}
