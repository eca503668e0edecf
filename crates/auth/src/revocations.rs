//! The list of revoked sessions and service accounts, restored from the database: after a start, and when Redis and
//! every process that knew have forgotten.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    context::Context,
    store::{service_account, session},
};

/// How often the database is read.
const INTERVAL: Duration = Duration::from_secs(5);
/// Clocks may differ, and a token may be signed a moment after its session was revoked.
const SLACK: TimeDelta = TimeDelta::seconds(30);

/// Refuses access tokens of these from now on: sessions, service accounts, API keys, or the tokens
/// themselves.
pub(crate) async fn announce(context: &Context, ids: &[Uuid]) {
    let until = context.now() + tokens_live_for(context);
    context.revocations.revoke(ids, until).await;
}

/// Puts on the list what was revoked while tokens of today were signed.
pub(crate) async fn restore(context: &Context) -> Result<(), DbErr> {
    let lifetime = tokens_live_for(context);
    let since = context.now() - lifetime;
    let reader = context.database.reader();
    let mut revoked = session::revoked_since(reader, since).await?;
    revoked.extend(service_account::disabled_since(reader, since).await?);
    let unknown = revoked
        .into_iter()
        .filter(|(id, _)| !context.revocations.is_revoked(*id));
    let unknown: Vec<_> = unknown.map(|(id, at)| (id, at + lifetime)).collect();
    // Together, until the last of them: longer than needed does no harm.
    if let Some(until) = unknown.iter().map(|(_, until)| *until).max() {
        let ids: Vec<_> = unknown.into_iter().map(|(id, _)| id).collect();
        tracing::info!(sessions = ids.len(), "put back on the revocation list");
        context.revocations.revoke(&ids, until).await;
    }
    Ok(())
}

/// Restores again and again, until `stop`.
pub(crate) async fn keep(context: Arc<Context>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(INTERVAL);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        if let Err(error) = restore(&context).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the revocation list could not be compared with the database"
            );
        }
    }
}

fn tokens_live_for(context: &Context) -> TimeDelta {
    context.access_tokens.lifetime + SLACK
}
