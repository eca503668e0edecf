//! The list of what was revoked before its access tokens expire: sessions, and whatever else a
//! token names. Every service looks at a copy in its own memory, so that a request costs no round
//! trip; [`RevocationList::run`] keeps the copies of all processes alike, through Redis.
//!
//! How soon is a revocation honoured? At once in the process that made it, after at most
//! [`POLL_INTERVAL`] and a round trip in the others. While Redis is away the copies can't learn of
//! each other's: [`RevocationList::is_current`] says so within [`CURRENT_FOR`], and what needs
//! certainty refuses then. Everything else goes on with what the copy knows, which can be wrong for
//! as long as an access token lives.
//!
//! Nothing is lost with Redis: a copy notices that Redis has forgotten and tells it again, and auth
//! reads its database for what no copy knows any more.

mod entries;
mod shared;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use cache::RedisLink;
use chrono::{DateTime, Utc};
use kernel::SharedClock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use entries::Entries;
use shared::Shared;

/// How often a copy asks Redis for what is new.
pub const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// A copy that has not heard from Redis for so long is not current.
pub const CURRENT_FOR: Duration = Duration::from_millis(1500);

/// What is revoked. Clones share it.
#[derive(Clone)]
pub struct RevocationList(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    entries: RwLock<Entries>,
    /// Tells the waiting that there is something new.
    news: watch::Sender<()>,
    shared: Option<Shared>,
}

impl RevocationList {
    /// Of this process alone, which is all of the system.
    #[must_use]
    pub fn in_memory(clock: SharedClock) -> Self {
        Self::new(clock, None)
    }

    /// Of all processes on this Redis that use the same namespace. Empty and not current until
    /// [`Self::run`] runs.
    #[must_use]
    pub fn over(redis: RedisLink, namespace: &str, clock: SharedClock) -> Self {
        Self::new(clock, Some(Shared::new(redis, namespace)))
    }

    fn new(clock: SharedClock, shared: Option<Shared>) -> Self {
        Self(Arc::new(Inner {
            clock,
            entries: RwLock::default(),
            news: watch::Sender::new(()),
            shared,
        }))
    }

    /// Revokes `ids` until the last token that names them has expired. Here it holds when this
    /// returns; what Redis could not be told now, [`Self::run`] tells it.
    pub async fn revoke(&self, ids: &[Uuid], until: DateTime<Utc>) {
        let revoked: Vec<_> = ids.iter().map(|id| (*id, until)).collect();
        self.add(&revoked);
        if let Some(shared) = &self.0.shared {
            shared.tell(&revoked).await;
        }
    }

    /// Whether `id` is revoked, as far as this process knows.
    #[must_use]
    pub fn is_revoked(&self, id: Uuid) -> bool {
        let entries = self
            .0
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        entries.contains(id, self.0.clock.now())
    }

    /// Whether this process knows of every revocation that is older than a second or so.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let entries = self
            .0
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let synchronised = self.0.shared.as_ref().is_none_or(Shared::is_current);
        synchronised && !entries.is_full()
    }

    /// Returns as soon as one of `ids` is revoked: for a connection that outlives its request.
    pub async fn revoked(&self, ids: &[Uuid]) {
        let mut news = self.0.news.subscribe();
        while !ids.iter().any(|id| self.is_revoked(*id)) {
            // It never closes: its other end lies in `self`.
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    /// Keeps the copy current until `stop`. In memory there is nothing to do.
    pub async fn run(&self, stop: CancellationToken) {
        let Some(shared) = &self.0.shared else {
            return;
        };
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let synchronising = shared.synchronise(|news| self.add(news), || self.live());
            if stop.run_until_cancelled(synchronising).await.is_none() {
                return;
            }
        }
    }

    fn add(&self, revoked: &[(Uuid, DateTime<Utc>)]) {
        if revoked.is_empty() {
            return;
        }
        let now = self.0.clock.now();
        let mut entries = self
            .0
            .entries
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (id, until) in revoked {
            entries.insert(*id, *until, now);
        }
        metrics::gauge!("plumbline_revocations").set(entries.len() as f64);
        drop(entries);
        self.0.news.send_replace(());
    }

    fn live(&self) -> Vec<(Uuid, DateTime<Utc>)> {
        let entries = self
            .0
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        entries.live(self.0.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kernel::{Clock, ManualClock};

    use super::*;

    fn list() -> (RevocationList, ManualClock) {
        let clock = ManualClock::starting_now();
        (RevocationList::in_memory(Arc::new(clock.clone())), clock)
    }

    #[tokio::test]
    async fn what_is_revoked_stays_so_until_its_tokens_have_expired() {
        let (list, clock) = list();
        let [revoked, other] = [Uuid::now_v7(), Uuid::now_v7()];
        list.revoke(&[revoked], clock.now() + TimeDelta::minutes(10))
            .await;
        assert!(list.clone().is_revoked(revoked), "clones share the list");
        assert!(!list.is_revoked(other));
        assert!(list.is_current());

        clock.advance(TimeDelta::minutes(5));
        // A shorter time does not shorten it.
        list.revoke(&[revoked], clock.now() + TimeDelta::minutes(1))
            .await;
        clock.advance(TimeDelta::minutes(4));
        assert!(list.is_revoked(revoked));
        clock.advance(TimeDelta::minutes(1));
        assert!(!list.is_revoked(revoked));
    }

    #[tokio::test]
    async fn whoever_waits_for_a_revocation_is_woken_by_it_alone() {
        let (list, clock) = list();
        let [awaited, other] = [Uuid::now_v7(), Uuid::now_v7()];
        let until = clock.now() + TimeDelta::minutes(10);
        let ids = [Uuid::now_v7(), awaited];
        let waiting = list.revoked(&ids);
        tokio::pin!(waiting);
        list.revoke(&[other], until).await;
        assert!(futures_util::poll!(&mut waiting).is_pending());
        list.revoke(&[awaited], until).await;
        waiting.await;
        // Who comes later does not wait at all.
        list.revoked(&[awaited]).await;
    }
}
