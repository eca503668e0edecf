//! A cache in two tiers: decoded values in this process, and Redis behind them when the system
//! is distributed.
//!
//! A read goes to memory, then to Redis, then to the caller's loader. However many callers miss
//! one key at once, one of them goes the way down and the others wait for its answer; and however
//! many keys are missed at once, only so many loads run at a time. Redis is only ever a shortcut:
//! when it is slow, away or holds nonsense, the read goes on to the loader and the caller never
//! hears of it.
//!
//! What else of a process speaks to Redis shares the cache's connection: see [`RedisLink`].
//!
//! How stale can a read be? Values belong to groups, and [`Cache::invalidate`] ends a group's
//! *generation*: a value counts only in the generation in which its load began. So an old reader
//! can't write back what it read before the change, neither here nor in Redis, however late it
//! does. What the invalidation does not reach (a process that missed it, a Redis that was away) is
//! at most as old as its lifetime, plus the jitter.

mod entry;
mod generations;
mod redis_link;
mod redis_tier;

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::counter;
use moka::{future::Cache as Memory, ops::compute::Op};
use redis::RedisError;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Semaphore, time::timeout};

use entry::{Entry, EntryLifetime};
use generations::Generations;
use redis_tier::RedisTier;

pub use redis::{FromRedisValue, Script, ScriptInvocation};
pub use redis_link::{BUDGET, RedisLink};

/// No value is kept longer, whatever its ttl.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// How long a load may wait for its turn.
const LOAD_PATIENCE: Duration = Duration::from_secs(5);

/// A cache, cheap to clone: clones share everything.
#[derive(Clone)]
pub struct Cache {
    memory: Memory<String, Entry>,
    generations: Arc<Generations>,
    loads: Arc<Semaphore>,
    redis: Option<Arc<RedisTier>>,
}

#[derive(Clone)]
pub struct CacheConfig {
    /// `memory:` for this process alone, or `redis://[user:password@]host[:port][/database]`.
    pub url: String,
    /// Prefixes every key in Redis (`namespace:key`), so that several systems share a server.
    pub namespace: String,
    /// How many values are kept in memory; the least used go first.
    pub max_entries: u64,
    /// How many loads may run at once; the others wait for their turn. It protects what is behind
    /// the cache when nothing is in it: after a start, or while Redis is away. At least 1.
    pub max_loads: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("the cache's URL is neither `memory:` nor redis://")]
    UnknownScheme,
    #[error("the cache's redis:// URL is malformed")]
    MalformedUrl(#[source] RedisError),
    #[error("Redis failed before and is left alone until it answers a ping")]
    Away,
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("Redis failed")]
    Redis(#[source] RedisError),
}

/// Names a value. A plain text is a group of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'k> {
    pub name: &'k str,
    /// What is invalidated together.
    pub group: &'k str,
}

impl<'k> Key<'k> {
    #[must_use]
    pub const fn of(group: &'k str, name: &'k str) -> Self {
        Self { name, group }
    }
}

impl<'k> From<&'k str> for Key<'k> {
    fn from(name: &'k str) -> Self {
        Self::of(name, name)
    }
}

impl<'k> From<&'k String> for Key<'k> {
    fn from(name: &'k String) -> Self {
        Self::from(name.as_str())
    }
}

/// Why there is no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError<E> {
    /// What the loader said, to all who waited for it.
    #[error(transparent)]
    Failed(Arc<E>),
    /// Too many other loads were before this one.
    #[error("no turn to load within {} s", LOAD_PATIENCE.as_secs())]
    Overloaded,
}

impl Cache {
    /// Opens the cache. A Redis that is away is no error: until it answers, the cache works from
    /// memory and [`Self::is_ready`] is false.
    ///
    /// # Errors
    /// [`CacheError::UnknownScheme`] and [`CacheError::MalformedUrl`], which never quote the URL:
    /// it may hold a password.
    pub async fn connect(config: CacheConfig) -> Result<Self, CacheError> {
        let redis = if config.url == "memory:" {
            None
        } else if config.url.starts_with("redis://") {
            let link = RedisLink::connect(&config.url).await?;
            Some(RedisTier::new(link, config.namespace))
        } else {
            return Err(CacheError::UnknownScheme);
        };
        Ok(Self {
            memory: Memory::builder()
                .max_capacity(config.max_entries)
                .expire_after(EntryLifetime)
                .build(),
            generations: Arc::default(),
            loads: Arc::new(Semaphore::new(config.max_loads.max(1))),
            redis: redis.map(Arc::new),
        })
    }

    /// The value of `key`, from `load` if neither tier has it. It is kept for `ttl` ± 10 %, so
    /// that what was cached together doesn't expire together. That there is nothing is a value,
    /// too: cache an `Option` where clients may ask for what does not exist.
    ///
    /// Concurrent misses with the same error type cause one load. If the caller that loads is
    /// dropped, another one takes over with its own `load`. An expired or invalidated value is a
    /// miss; one that is about to expire is loaded by one of its readers, and by none of the
    /// others. One key must always be read as one `T`.
    ///
    /// # Errors
    /// [`LoadError`]. Errors are not cached.
    pub async fn get_or_load<'k, T, E>(
        &self,
        key: impl Into<Key<'k>>,
        ttl: Duration,
        load: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, LoadError<E>>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        let key = key.into();
        let oldest = self.generations.current(key.group);
        let mut load = pin!(load);
        if let Some(entry) = self.memory.get(key.name).await
            && entry.generation() >= oldest
            && let Some(value) = entry.value()
        {
            counter!("plumbline_cache_hits_total", "tier" => "memory").increment(1);
            let Some(_refreshing) = entry.refresh() else {
                return Ok(value);
            };
            let newer = self.refresh(key, ttl, &entry, load).await;
            return Ok(newer.unwrap_or(value));
        }
        loop {
            let fill = self.fill(key, ttl, Duration::ZERO, load.as_mut());
            let found = self.memory.entry_by_ref(key.name);
            let found = found.or_try_insert_with(fill).await;
            let found = found.map_err(|error| LoadError::shared(&error))?;
            let is_own = found.is_fresh();
            let entry = found.into_value();
            // Another's load may have begun before an invalidation that this caller knows of.
            if !is_own && entry.generation() < oldest {
                self.forget(key, oldest).await;
                continue;
            }
            if !is_own {
                counter!("plumbline_cache_hits_total", "tier" => "memory").increment(1);
            }
            let Some(value) = entry.value() else {
                // `fill` made a `T`, so it has not run: `load` is still there to be awaited.
                let wanted = std::any::type_name::<T>();
                tracing::error!(key = key.name, wanted, "a cache key is used for two types");
                let loaded = load.await.map(Arc::new);
                return loaded.map_err(|error| LoadError::Failed(Arc::new(error)));
            };
            return Ok(value);
        }
    }

    /// Forgets the values of `group` in Redis and in this process. Other processes forget theirs
    /// when they are told to, or when these expire. Call it after the change is committed.
    pub async fn invalidate(&self, group: &str) {
        // Redis first: the other way round, a reader in between would copy the old value back.
        if let Some(redis) = &self.redis {
            redis.end_generation(group).await;
        }
        self.generations.end(group);
    }

    /// Forgets everything in this process, which has missed what it should have been told.
    pub fn forget_all(&self) {
        self.generations.end_all();
    }

    /// Whether all tiers work. Costs nothing: in the background Redis is asked once a second.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.redis().is_none_or(RedisLink::is_available)
    }

    /// The connection to Redis, for what else this process keeps there. None with `memory:`.
    #[must_use]
    pub fn redis(&self) -> Option<&RedisLink> {
        self.redis.as_ref().map(|redis| &redis.link)
    }

    /// Asks Redis now. Always `Ok` with `memory:`.
    ///
    /// # Errors
    /// [`CacheError::Timeout`] and [`CacheError::Redis`].
    pub async fn ping(&self) -> Result<(), CacheError> {
        match self.redis() {
            Some(link) => link.ping().await,
            None => Ok(()),
        }
    }

    /// What a miss in memory does: Redis, then `load`. Of a copy in Redis more than `longer_than`
    /// must be left.
    async fn fill<T, E>(
        &self,
        key: Key<'_>,
        ttl: Duration,
        longer_than: Duration,
        load: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<Entry, LoadError<E>>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let generation = self.generations.current(key.group);
        let lifetime = jittered(ttl);
        let mut shared = None;
        if let Some(redis) = &self.redis
            && let Some(answer) = redis.get::<T>(key).await
        {
            if let Some(hit) = answer.hit.filter(|hit| hit.left > longer_than) {
                counter!("plumbline_cache_hits_total", "tier" => "redis").increment(1);
                // Not the whole lifetime again: the copy expires with its original.
                let left = hit.left.min(lifetime);
                return Ok(Entry::new(Arc::new(hit.value), left, hit.took, generation));
            }
            shared = Some((redis, answer.generation));
        }
        counter!("plumbline_cache_misses_total").increment(1);
        let turn = timeout(LOAD_PATIENCE, self.loads.acquire()).await;
        let turn = turn.map_err(|_| LoadError::Overloaded)?;
        let started = Instant::now();
        let value = load.await;
        let took = started.elapsed();
        drop(turn);
        let value = Arc::new(value.map_err(|error| LoadError::Failed(Arc::new(error)))?);
        if let Some((redis, shared_generation)) = shared {
            redis
                .set(key, &*value, lifetime, took, &shared_generation)
                .await;
        }
        Ok(Entry::new(value, lifetime, took, generation))
    }

    /// Puts a new value in the place of one that is about to expire. If that fails, or others wait
    /// for their turn to load, the old one is still good.
    async fn refresh<T, E>(
        &self,
        key: Key<'_>,
        ttl: Duration,
        old: &Entry,
        load: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Option<Arc<T>>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        if self.loads.available_permits() == 0 {
            return None;
        }
        counter!("plumbline_cache_refreshes_total").increment(1);
        // Another process may have refreshed the copy in Redis: then much of its life is left.
        let longer_than = old.left() + ttl / 10;
        let entry = self.fill(key, ttl, longer_than, load).await.ok()?;
        self.memory.insert(key.name.to_owned(), entry.clone()).await;
        entry.value()
    }

    /// Removes a value of before the generation `oldest`.
    async fn forget(&self, key: Key<'_>, oldest: u64) {
        let found = self.memory.entry_by_ref(key.name);
        let remove_old = |entry: Option<moka::Entry<String, Entry>>| {
            let is_old = entry.is_some_and(|entry| entry.value().generation() < oldest);
            std::future::ready(if is_old { Op::Remove } else { Op::Nop })
        };
        found.and_compute_with(remove_old).await;
    }
}

impl<E> LoadError<E> {
    fn shared(error: &Self) -> Self {
        match error {
            Self::Failed(error) => Self::Failed(Arc::clone(error)),
            Self::Overloaded => Self::Overloaded,
        }
    }
}

/// `ttl` ± 10 %.
fn jittered(ttl: Duration) -> Duration {
    ttl.mul_f64(rand::random_range(0.9..=1.1))
        .min(LONGEST_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_spreads_lifetimes_over_ten_percent_either_side() {
        let ttl = Duration::from_secs(100);
        let lifetimes: Vec<_> = (0..1000).map(|_| jittered(ttl).as_secs_f64()).collect();
        assert!(lifetimes.iter().all(|s| (90.0..=110.0).contains(s)));
        assert!(lifetimes.iter().any(|s| *s < 95.0));
        assert!(lifetimes.iter().any(|s| *s > 105.0));
        assert_eq!(jittered(2 * LONGEST_LIFETIME), LONGEST_LIFETIME);
    }
}
