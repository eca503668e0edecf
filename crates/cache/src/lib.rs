//! A cache in two tiers: decoded values in this process, and Redis behind them when the system
//! is distributed.
//!
//! A read goes to memory, then to Redis, then to the caller's loader. However many callers miss
//! one key at once, one of them goes the way down and the others wait for its answer. Redis is
//! only ever a shortcut: when it is slow, away or holds nonsense, the read goes on to the loader
//! and the caller never hears of it.
//!
//! What else of a process speaks to Redis shares the cache's connection: see [`RedisLink`].
//!
//! How stale can a read be? At most the lifetime given to [`Cache::get_or_load`], plus its jitter:
//! an invalidation that meets a load under way, or a Redis that is away, may be undone by the old
//! value.

mod redis_link;
mod redis_tier;

use std::{
    any::Any,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::counter;
use moka::{Expiry, future::Cache as Memory};
use redis::RedisError;
use serde::{Serialize, de::DeserializeOwned};

use redis_tier::RedisTier;

pub use redis::{FromRedisValue, Script, ScriptInvocation};
pub use redis_link::{BUDGET, RedisLink};

/// A cache, cheap to clone: clones share everything.
#[derive(Clone)]
pub struct Cache {
    memory: Memory<String, Entry>,
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
            redis: redis.map(Arc::new),
        })
    }

    /// The value of `key`, from `load` if neither tier has it. It is kept for `ttl` ± 10 %, so
    /// that what was cached together doesn't expire together.
    ///
    /// Concurrent misses with the same error type cause one load. If the caller that loads is
    /// dropped, another one takes over with its own `load`. An expired or invalidated value is a
    /// miss. One key must always be read as one `T`.
    ///
    /// # Errors
    /// What `load` returned, to every caller that waited for it. It is not cached.
    pub async fn get_or_load<T, E>(
        &self,
        key: &str,
        ttl: Duration,
        load: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, Arc<E>>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        let mut load = pin!(load);
        let fill = self.fill(key, jittered(ttl), load.as_mut());
        let entry = self
            .memory
            .entry_by_ref(key)
            .or_try_insert_with(fill)
            .await?;
        if !entry.is_fresh() {
            counter!("plumbline_cache_hits_total", "tier" => "memory").increment(1);
        }
        match entry.into_value().value.downcast() {
            Ok(value) => Ok(value),
            // `fill` made a `T`, so it has not run: `load` is still there to be awaited.
            Err(_) => {
                let wanted = std::any::type_name::<T>();
                tracing::error!(key, wanted, "a cache key is used for two types");
                load.await.map(Arc::new).map_err(Arc::new)
            }
        }
    }

    /// Forgets `key` in Redis and in this process. Other processes forget their copies when they
    /// are told to, or when these expire.
    pub async fn invalidate(&self, key: &str) {
        // Redis first: the other way round, a reader in between would copy the old value back.
        if let Some(redis) = &self.redis {
            redis.remove(key).await;
        }
        self.memory.invalidate(key).await;
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

    /// What a miss in memory does: Redis, then `load`.
    async fn fill<T, E>(
        &self,
        key: &str,
        lifetime: Duration,
        load: impl Future<Output = Result<T, E>>,
    ) -> Result<Entry, E>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        if let Some(redis) = &self.redis
            && let Some((value, left)) = redis.get::<T>(key).await
        {
            counter!("plumbline_cache_hits_total", "tier" => "redis").increment(1);
            // Not the whole lifetime again: the copy expires with its original.
            return Ok(Entry::new(Arc::new(value), left.min(lifetime)));
        }
        counter!("plumbline_cache_misses_total").increment(1);
        let value = Arc::new(load.await?);
        if let Some(redis) = &self.redis {
            redis.set(key, &*value, lifetime).await;
        }
        Ok(Entry::new(value, lifetime))
    }
}

/// A decoded value of any type, so that a hit costs no deserialisation.
#[derive(Clone)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    lifetime: Duration,
}

impl Entry {
    fn new(value: Arc<dyn Any + Send + Sync>, lifetime: Duration) -> Self {
        Self { value, lifetime }
    }
}

/// Each entry brings its own lifetime.
struct EntryLifetime;

impl Expiry<String, Entry> for EntryLifetime {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lifetime)
    }

    /// Loads with different error types don't wait for each other: the later value replaces the
    /// earlier one, lifetime and all.
    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lifetime)
    }
}

/// `ttl` ± 10 %.
fn jittered(ttl: Duration) -> Duration {
    ttl.mul_f64(rand::random_range(0.9..=1.1))
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
    }
}
