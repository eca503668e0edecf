//! The list in Redis: who is revoked (`versions`, a sorted set by version, which a copy reads from
//! where it stopped), until when (`expiries`, a sorted set by time), and a counter of versions
//! under a random name, the epoch (`state`). An unknown epoch, or a counter that went back, means
//! that Redis has lost what a copy has read.
//!
//! The keys have no lifetime: under a `maxmemory-policy` of `noeviction` or `volatile-*` Redis never
//! throws them out.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cache::{BUDGET, CacheError, RedisLink, Script};
use chrono::{DateTime, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::CURRENT_FOR;

/// The longest wait for one page, in the background.
const POLL_BUDGET: Duration = Duration::from_millis(250);
/// Revocations in one script: Redis does nothing else meanwhile.
const PAGE: usize = 500;

/// Both scripts begin so. KEYS: state, versions, expiries. ARGV[1]: the epoch, if there is none.
const BEGIN_EPOCH: &str = "
if redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1]) == 1 then
    redis.call('HSET', KEYS[1], 'version', 0)
    redis.call('DEL', KEYS[2], KEYS[3])
end
";

/// ARGV from 2: an id, its time in milliseconds, and so on. What expired a minute ago leaves:
/// nobody's clock is that wrong.
const PUSH: &str = "
for i = 2, #ARGV, 2 do
    local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
    redis.call('ZADD', KEYS[2], version, ARGV[i])
    redis.call('ZADD', KEYS[3], 'GT', ARGV[i + 1], ARGV[i])
end
local gone_by = redis.call('TIME')[1] * 1000 - 60000
local gone = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', gone_by, 'LIMIT', 0, 1000)
if #gone > 0 then
    redis.call('ZREM', KEYS[2], unpack(gone))
    redis.call('ZREM', KEYS[3], unpack(gone))
end
return redis.status_reply('OK')
";

/// ARGV: the version after which to read, and how many at most. Returns the epoch, the newest
/// version, and a version, an id and a time for each.
const PULL: &str = "
local rows = {}
local page = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf',
    'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #page, 2 do
    rows[#rows + 1] = page[i + 1]
    rows[#rows + 1] = page[i]
    rows[#rows + 1] = redis.call('ZSCORE', KEYS[3], page[i])
end
local state = redis.call('HMGET', KEYS[1], 'epoch', 'version')
return { state[1], state[2], rows }
";

type Revoked = (Uuid, DateTime<Utc>);
type Page = (String, u64, Vec<(u64, String, i64)>);

pub(super) struct Shared {
    redis: RedisLink,
    push: Script,
    pull: Script,
    keys: [String; 3],
    /// Whether something is revoked here that Redis may not know.
    is_ahead: AtomicBool,
    position: tokio::sync::Mutex<Position>,
    current_at: Mutex<Option<Instant>>,
}

/// How far this copy has read.
#[derive(Default)]
struct Position {
    epoch: Option<String>,
    version: u64,
}

impl Shared {
    pub(super) fn new(redis: RedisLink, namespace: &str) -> Self {
        let key = |part| format!("{namespace}:revocations:{part}");
        Self {
            redis,
            push: Script::new(&[BEGIN_EPOCH, PUSH].concat()),
            pull: Script::new(&[BEGIN_EPOCH, PULL].concat()),
            keys: ["state", "versions", "expiries"].map(key),
            is_ahead: AtomicBool::new(false),
            position: tokio::sync::Mutex::default(),
            current_at: Mutex::default(),
        }
    }

    pub(super) fn is_current(&self) -> bool {
        let current_at = self.current_at.lock();
        let current_at = *current_at.unwrap_or_else(PoisonError::into_inner);
        current_at.is_some_and(|at| at.elapsed() < CURRENT_FOR)
    }

    /// Tells Redis, now or when it is back.
    pub(super) async fn tell(&self, revoked: &[Revoked]) {
        for page in revoked.chunks(PAGE) {
            if let Err(error) = self.push(page, BUDGET).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "Redis is told of a revocation later"
                );
                self.is_ahead.store(true, Ordering::Release);
            }
        }
    }

    /// Reads what is new into `add`. If Redis lacks something, it is told what is `live` here.
    pub(super) async fn synchronise(
        &self,
        add: impl Fn(&[Revoked]),
        live: impl Fn() -> Vec<Revoked>,
    ) {
        let started = Instant::now();
        match self.try_synchronise(add, live).await {
            Ok(()) => {
                let mut current_at = self
                    .current_at
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                *current_at = Some(started);
            }
            // It has been counted, and logged when it began.
            Err(CacheError::Away) => {}
            Err(error) => tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the revocations were not synchronised"
            ),
        }
    }

    async fn try_synchronise(
        &self,
        add: impl Fn(&[Revoked]),
        live: impl Fn() -> Vec<Revoked>,
    ) -> Result<(), CacheError> {
        let mut position = self.position.lock().await;
        loop {
            self.catch_up(&live).await?;
            let (epoch, newest, rows) = self.pull(position.version).await?;
            let is_known = position.epoch.as_ref() == Some(&epoch);
            if !is_known || newest < position.version {
                if position.epoch.is_some() {
                    tracing::warn!("Redis has lost revocations and is told again");
                    metrics::counter!("plumbline_revocations_lost_total").increment(1);
                    self.is_ahead.store(true, Ordering::Release);
                }
                *position = Position {
                    epoch: Some(epoch),
                    version: 0,
                };
                continue;
            }
            let is_last = rows.len() < PAGE;
            if let Some((version, _, _)) = rows.last() {
                position.version = *version;
            }
            let news: Vec<_> = rows.iter().filter_map(revoked).collect();
            add(&news);
            if is_last {
                return Ok(());
            }
        }
    }

    /// Tells Redis everything, if it lacks something of it.
    async fn catch_up(&self, live: impl Fn() -> Vec<Revoked>) -> Result<(), CacheError> {
        if !self.is_ahead.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        for page in live().chunks(PAGE) {
            if let Err(error) = self.push(page, POLL_BUDGET).await {
                self.is_ahead.store(true, Ordering::Release);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn push(&self, revoked: &[Revoked], budget: Duration) -> Result<(), CacheError> {
        let mut script = self.push.prepare_invoke();
        script.key(&self.keys).arg(new_epoch());
        for (id, until) in revoked {
            script.arg(id.to_string()).arg(until.timestamp_millis());
        }
        self.redis.run("revoke", &script, budget).await
    }

    async fn pull(&self, after: u64) -> Result<Page, CacheError> {
        let mut script = self.pull.prepare_invoke();
        script.key(&self.keys).arg(new_epoch()).arg(after).arg(PAGE);
        self.redis.run("revocations", &script, POLL_BUDGET).await
    }
}

fn new_epoch() -> String {
    Uuid::new_v4().simple().to_string()
}

/// `None` for what is no revocation of ours.
fn revoked((_, id, until): &(u64, String, i64)) -> Option<Revoked> {
    Some((id.parse().ok()?, DateTime::from_timestamp_millis(*until)?))
}
