//! Two caches on one Redis stand for two processes.

use std::time::Duration;

use ::redis::{AsyncTypedCommands, aio::MultiplexedConnection};
use cache::Cache;
use testkit::environment;

use crate::{Source, TTL, connect, left_out};

/// Two processes' caches and a plain connection, all in a namespace of their own.
struct Shared {
    namespace: String,
    one: Cache,
    two: Cache,
    redis: MultiplexedConnection,
}

impl Shared {
    /// `None`, said aloud, where there is no Redis to test with.
    async fn new(test: &str) -> Option<Self> {
        let url = std::env::var(environment::REDIS_URL).unwrap_or_default();
        if url.is_empty() {
            left_out(test, environment::REDIS_URL);
            return None;
        }
        let namespace = format!("test-{}", uuid::Uuid::new_v4());
        let client = ::redis::Client::open(url.as_str()).unwrap();
        let shared = Self {
            one: connect(&url, &namespace).await,
            two: connect(&url, &namespace).await,
            redis: client.get_multiplexed_async_connection().await.unwrap(),
            namespace,
        };
        assert!(shared.one.is_ready() && shared.two.is_ready());
        Some(shared)
    }

    fn full_key(&self, key: &str) -> String {
        format!("{}:{key}", self.namespace)
    }
}

#[tokio::test]
async fn what_one_process_loaded_another_one_finds() {
    let Some(mut shared) = Shared::new("what_one_process_loaded_another_one_finds").await else {
        return;
    };
    let source = Source::default();
    source.read(&shared.one, "key", "value").await;
    assert_eq!(source.read(&shared.two, "key", "other").await, "value");
    assert_eq!(source.loads(), 1);

    let key = shared.full_key("key");
    let bytes = shared.redis.get(&key).await.unwrap();
    assert_eq!(bytes.as_deref(), Some("1:\"value\""));
}

#[tokio::test]
async fn a_value_expires_in_redis_within_ten_percent_of_its_ttl() {
    let Some(mut shared) = Shared::new("a_value_expires_in_redis").await else {
        return;
    };
    Source::default().read(&shared.one, "key", "value").await;
    let left: i64 = ::redis::cmd("PTTL")
        .arg(shared.full_key("key"))
        .query_async(&mut shared.redis)
        .await
        .unwrap();
    // Less what this machine took to ask.
    let left = left as f64 / 1000.0 / TTL.as_secs_f64();
    assert!((0.8..=1.1).contains(&left), "{left}");
}

#[tokio::test]
async fn a_copy_in_memory_expires_with_its_original_in_redis() {
    let Some(mut shared) = Shared::new("a_copy_in_memory_expires_with_its_original").await else {
        return;
    };
    let full_key = shared.full_key("key");
    let set = shared.redis.pset_ex(&full_key, "1:\"old\"", 500);
    set.await.unwrap();
    let source = Source::default();
    assert_eq!(source.read(&shared.one, "key", "new").await, "old");
    // The round trips to Redis pace the waiting.
    let expired = async {
        while source.read(&shared.one, "key", "new").await == "old" {
            shared.redis.exists(&full_key).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), expired)
        .await
        .expect("it does not start a whole lifetime of its own");
}

#[tokio::test]
async fn what_this_version_can_not_read_is_a_miss_and_is_replaced() {
    let Some(mut shared) = Shared::new("what_this_version_can_not_read_is_a_miss").await else {
        return;
    };
    let foreign = ["", "\"value\"", "2:\"value\"", "1:{\"value\":1}", "1:\"val"];
    for (number, bytes) in foreign.into_iter().enumerate() {
        let key = format!("key{number}");
        let full_key = shared.full_key(&key);
        let seconds = TTL.as_secs();
        shared
            .redis
            .set_ex(&full_key, bytes, seconds)
            .await
            .unwrap();
        let source = Source::default();
        assert_eq!(source.read(&shared.one, &key, "fresh").await, "fresh");
        assert_eq!(source.read(&shared.two, &key, "other").await, "fresh");
        assert_eq!(source.loads(), 1, "{bytes}");
    }
    assert!(
        shared.one.is_ready(),
        "nonsense in Redis is no failure of it"
    );
}

#[tokio::test]
async fn an_invalidated_value_is_gone_from_redis() {
    let Some(mut shared) = Shared::new("an_invalidated_value_is_gone_from_redis").await else {
        return;
    };
    let source = Source::default();
    source.read(&shared.one, "key", "old").await;
    shared.one.invalidate("key").await;
    let key = shared.full_key("key");
    assert!(!shared.redis.exists(&key).await.unwrap());
    assert_eq!(source.read(&shared.two, "key", "new").await, "new");
    assert_eq!(source.read(&shared.one, "key", "newer").await, "new");
}
