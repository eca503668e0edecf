//! The way to Redis: one connection that finds its way back by itself, a budget for every wait,
//! and a breaker that spares the callers a Redis that fails anyway.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use redis::{
    Client, FromRedisValue, IntoConnectionInfo, RedisResult, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval_at, timeout},
};

use crate::CacheError;

/// The longest that one operation should hold up a request.
pub const BUDGET: Duration = Duration::from_millis(50);
/// The longest that [`RedisLink::connect`] waits for the first answer.
const CONNECT_BUDGET: Duration = Duration::from_millis(500);
/// How often Redis is asked whether it is there: also how long it is left alone when it is not.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The longest pause between two attempts to connect again.
const LONGEST_RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// A peer that has not acknowledged what was sent for so long is gone; Linux' own answer is
/// about fifteen minutes.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(2);

/// One connection to Redis for a whole process: cache, rate limits and revocations share it.
/// Clones share everything; the connection ends with the last of them.
#[derive(Clone)]
pub struct RedisLink(Arc<Inner>);

struct Inner {
    connection: Connection,
    prober: JoinHandle<()>,
}

impl RedisLink {
    /// Opens the link and asks Redis once. A Redis that is away is no error: it is looked for in
    /// the background, once a second.
    ///
    /// # Errors
    /// [`CacheError::MalformedUrl`], which never quotes the URL: it may hold a password.
    pub async fn connect(url: &str) -> Result<Self, CacheError> {
        let connection = Connection::new(url).map_err(CacheError::MalformedUrl)?;
        if let Err(error) = connection.ping(CONNECT_BUDGET).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Redis is not there yet"
            );
        }
        let prober = tokio::spawn(probe_for_ever(connection.clone()));
        Ok(Self(Arc::new(Inner { connection, prober })))
    }

    /// Runs a script, which Redis does at once and undivided, and waits for its answer for at most
    /// `budget`. What was sent may be done even if the answer does not come in time. `operation`
    /// names it in the metrics.
    ///
    /// # Errors
    /// [`CacheError::Away`] at once while Redis is not available; [`CacheError::Timeout`] and
    /// [`CacheError::Redis`].
    pub async fn run<T: FromRedisValue>(
        &self,
        operation: &'static str,
        script: &ScriptInvocation<'_>,
        budget: Duration,
    ) -> Result<T, CacheError> {
        let mut connection = self.0.connection.manager.clone();
        let query = script.invoke_async(&mut connection);
        self.within(budget, operation, query).await
    }

    /// Asks Redis now, even while it is left alone.
    ///
    /// # Errors
    /// [`CacheError::Timeout`] and [`CacheError::Redis`].
    pub async fn ping(&self) -> Result<(), CacheError> {
        self.0.connection.ping(BUDGET).await
    }

    /// Whether Redis is worth asking. Costs nothing.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.0.connection.breaker.is_closed()
    }

    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        operation: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, CacheError> {
        let mut connection = self.0.connection.manager.clone();
        let query = command.query_async(&mut connection);
        self.within(BUDGET, operation, query).await
    }

    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        operation: &'static str,
        pipeline: &redis::Pipeline,
    ) -> Result<T, CacheError> {
        let mut connection = self.0.connection.manager.clone();
        let query = pipeline.query_async(&mut connection);
        self.within(BUDGET, operation, query).await
    }

    async fn within<T>(
        &self,
        budget: Duration,
        operation: &'static str,
        query: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, CacheError> {
        if !self.is_available() {
            return Err(CacheError::Away);
        }
        self.0.connection.within(budget, operation, query).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.prober.abort();
    }
}

/// Closes the breaker when Redis answers again, so that no request has to wait to find out.
async fn probe_for_ever(connection: Connection) {
    let mut ticks = interval_at(tokio::time::Instant::now() + PROBE_INTERVAL, PROBE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // The breaker keeps the answer and tells when it changes.
        let _ = connection.ping(BUDGET).await;
    }
}

/// The connection, and whether it is worth using.
#[derive(Clone)]
struct Connection {
    manager: ConnectionManager,
    breaker: Arc<Breaker>,
}

impl Connection {
    /// Doesn't connect yet.
    fn new(url: &str) -> RedisResult<Self> {
        let tcp = TcpSettings::default().set_nodelay(true);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(UNACKNOWLEDGED);
        let client = Client::open(url.into_connection_info()?.set_tcp_settings(tcp))?;
        let config = ConnectionManagerConfig::new().set_max_delay(LONGEST_RECONNECT_DELAY);
        Ok(Self {
            manager: ConnectionManager::new_lazy_with_config(client, config)?,
            breaker: Arc::new(Breaker::open()),
        })
    }

    async fn ping(&self, budget: Duration) -> Result<(), CacheError> {
        let command = redis::cmd("PING");
        let mut connection = self.manager.clone();
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
                counter!("plumbline_redis_errors_total", "operation" => operation).increment(1);
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
}
