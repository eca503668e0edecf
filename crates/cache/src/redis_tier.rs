//! The shared tier. Nothing here returns an error to a reader: a failure is a miss, counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use redis::{
    Client, IntoConnectionInfo, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval_at, timeout},
};

use crate::CacheError;

/// The longest that one operation may hold up a request.
const BUDGET: Duration = Duration::from_millis(50);
/// The longest that [`RedisTier::connect`] waits for the first answer.
const CONNECT_BUDGET: Duration = Duration::from_millis(500);
/// How often Redis is asked whether it is there: also how long it is left alone when it is not.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The longest pause between two attempts to connect again.
const LONGEST_RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// A peer that has not acknowledged what was sent for so long is gone; Linux' own answer is
/// about fifteen minutes.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(2);
/// Starts every value. Another version, after a change of the format, reads as a miss.
const FORMAT: &[u8] = b"1:";

pub(crate) struct RedisTier {
    link: Link,
    namespace: String,
    prober: JoinHandle<()>,
}

impl RedisTier {
    /// # Errors
    /// Only for a malformed URL: a Redis that is away is looked for in the background.
    pub(crate) async fn connect(url: &str, namespace: String) -> Result<Self, CacheError> {
        let link = Link::new(url).map_err(CacheError::MalformedUrl)?;
        if let Err(error) = link.ping(CONNECT_BUDGET).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Redis is not there yet"
            );
        }
        let prober = tokio::spawn(probe_for_ever(link.clone()));
        Ok(Self {
            link,
            namespace,
            prober,
        })
    }

    /// The value and how long it has left; `None` when there is none that this version can read.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Option<(T, Duration)> {
        if !self.is_available() {
            return None;
        }
        let mut pipeline = redis::pipe();
        let full_key = self.full_key(key);
        pipeline.get(&full_key).pttl(&full_key);
        let mut connection = self.link.connection.clone();
        let query = pipeline.query_async(&mut connection);
        let (bytes, left): (Option<Vec<u8>>, i64) =
            self.link.within(BUDGET, "get", query).await.ok()?;
        // Negative: gone since, or kept for ever, which is not our doing.
        let left = Duration::from_millis(u64::try_from(left).ok()?);
        let bytes = bytes?;
        let value = decode(&bytes);
        if value.is_none() {
            tracing::debug!(key, "unreadable in the cache, loaded anew");
        }
        Some((value?, left))
    }

    pub(crate) async fn set<T: Serialize>(&self, key: &str, value: &T, lifetime: Duration) {
        let milliseconds = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        // Redis refuses a lifetime of nothing.
        if milliseconds == 0 || !self.is_available() {
            return;
        }
        let bytes = match encode(value) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(key, %error, "not cached in Redis: it has no JSON form");
                return;
            }
        };
        let mut command = redis::cmd("SET");
        command.arg(self.full_key(key)).arg(bytes);
        command.arg("PX").arg(milliseconds);
        let mut connection = self.link.connection.clone();
        let query = command.exec_async(&mut connection);
        // What failed has been counted, and the reader has its value.
        let _ = self.link.within(BUDGET, "set", query).await;
    }

    pub(crate) async fn remove(&self, key: &str) {
        if !self.is_available() {
            return;
        }
        let command = redis::Cmd::del(self.full_key(key));
        let mut connection = self.link.connection.clone();
        let query = command.exec_async(&mut connection);
        // What failed has been counted; the old value ends with its lifetime.
        let _ = self.link.within(BUDGET, "remove", query).await;
    }

    pub(crate) async fn ping(&self) -> Result<(), CacheError> {
        self.link.ping(BUDGET).await
    }

    pub(crate) fn is_available(&self) -> bool {
        self.link.breaker.is_closed()
    }

    fn full_key(&self, key: &str) -> String {
        format!("{}:{key}", self.namespace)
    }
}

impl Drop for RedisTier {
    fn drop(&mut self) {
        self.prober.abort();
    }
}

/// Closes the breaker when Redis answers again, so that no request has to wait to find out.
async fn probe_for_ever(link: Link) {
    let mut ticks = interval_at(tokio::time::Instant::now() + PROBE_INTERVAL, PROBE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // The breaker keeps the answer and tells when it changes.
        let _ = link.ping(BUDGET).await;
    }
}

/// The connection, which finds its way back by itself, and whether it is worth using.
#[derive(Clone)]
struct Link {
    connection: ConnectionManager,
    breaker: Arc<Breaker>,
}

impl Link {
    /// Doesn't connect yet.
    fn new(url: &str) -> RedisResult<Self> {
        let tcp = TcpSettings::default().set_nodelay(true);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(UNACKNOWLEDGED);
        let client = Client::open(url.into_connection_info()?.set_tcp_settings(tcp))?;
        let config = ConnectionManagerConfig::new().set_max_delay(LONGEST_RECONNECT_DELAY);
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client, config)?,
            breaker: Arc::new(Breaker::open()),
        })
    }

    async fn ping(&self, budget: Duration) -> Result<(), CacheError> {
        let command = redis::cmd("PING");
        let mut connection = self.connection.clone();
        let query = command.exec_async(&mut connection);
        self.within(budget, "ping", query).await
    }

    /// Waits for the answer for at most `budget`, and tells the breaker how it went.
    async fn within<T>(
        &self,
        budget: Duration,
        operation: &'static str,
        query: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, CacheError> {
        let answer = match timeout(budget, query).await {
            Ok(answer) => answer.map_err(CacheError::Redis),
            Err(_) => Err(CacheError::Timeout(budget)),
        };
        match &answer {
            Ok(_) => {
                if self.breaker.succeeded() {
                    tracing::info!("Redis answers");
                }
            }
            Err(error) => {
                counter!("plumbline_cache_redis_errors_total", "operation" => operation)
                    .increment(1);
                if self.breaker.failed() {
                    tracing::warn!(
                        operation,
                        error = error as &dyn std::error::Error,
                        "Redis fails and is left alone until it answers a ping"
                    );
                }
            }
        }
        answer
    }
}

/// Circuit breaker (Nygard, "Release It!"): open, it spares the callers a Redis that fails anyway.
/// It is one number, the failures since the last success.
struct Breaker(AtomicU32);

impl Breaker {
    /// So many failures in a row open it.
    const THRESHOLD: u32 = 3;

    fn open() -> Self {
        Self(AtomicU32::new(Self::THRESHOLD))
    }

    fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) < Self::THRESHOLD
    }

    /// Returns whether this has closed it.
    fn succeeded(&self) -> bool {
        self.0.swap(0, Ordering::Relaxed) >= Self::THRESHOLD
    }

    /// Returns whether this has opened it.
    fn failed(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) + 1 == Self::THRESHOLD
    }
}

fn encode<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = FORMAT.to_vec();
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes.strip_prefix(FORMAT)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_at_the_third_failure_in_a_row_and_says_so_once() {
        let breaker = Breaker::open();
        assert!(!breaker.is_closed());
        assert!(breaker.succeeded(), "it has closed");
        assert!(!breaker.succeeded(), "it was closed");

        assert!(!breaker.failed());
        assert!(!breaker.failed());
        assert!(!breaker.succeeded());
        assert!(!breaker.failed());
        assert!(!breaker.failed());
        assert!(breaker.is_closed());
        assert!(breaker.failed(), "the third in a row opens it");
        assert!(!breaker.is_closed());
        assert!(!breaker.failed(), "it was open");
    }

    #[test]
    fn only_this_format_is_read() {
        assert_eq!(encode(&[1, 2]).unwrap(), b"1:[1,2]");
        assert_eq!(decode::<Vec<u8>>(b"1:[1,2]"), Some(vec![1, 2]));
        for foreign in ["", "1:", "[1,2]", "2:[1,2]", "1:[1,", "1:{\"a\":1}"] {
            assert_eq!(decode::<Vec<u8>>(foreign.as_bytes()), None, "{foreign}");
        }
    }
}
