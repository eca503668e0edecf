//! Two caches on one Redis stand for two processes.

use std::{sync::Arc, time::Duration};

use ::redis::{AsyncTypedCommands, aio::MultiplexedConnection};
use cache::Cache;
use futures_util::future::join_all;
use testkit::environment;
use tokio::sync::{Barrier, Notify};

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
    let bytes = bytes.unwrap();
    assert!(
        bytes.starts_with("2:0:") && bytes.ends_with(":\"value\""),
        "{bytes}"
    );
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
    let set = shared.redis.pset_ex(&full_key, "2:0:0:\"old\"", 500);
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
    let foreign = [
        "",
        "\"value\"",
        "1:\"value\"",
        "2:0:7:{\"value\":1}",
        "2:0:7:\"val",
        "2:another generation:7:\"value\"",
    ];
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
async fn an_invalidated_value_is_read_by_no_process_that_was_told() {
    let Some(shared) = Shared::new("an_invalidated_value_is_read_by_no_process").await else {
        return;
    };
    let source = Source::default();
    source.read(&shared.one, "key", "old").await;
    source.read(&shared.two, "key", "old").await;
    shared.one.invalidate("key").await;
    shared.two.invalidate("key").await;
    assert_eq!(source.read(&shared.two, "key", "new").await, "new");
    assert_eq!(source.read(&shared.one, "key", "newer").await, "new");
    assert_eq!(source.loads(), 2);
}

/// One process reads a row, another changes it and tells so, and only then does the first write
/// down what it has read.
#[tokio::test]
async fn an_old_reader_does_not_write_back_a_stale_row() {
    for read_between in [false, true] {
        let Some(shared) = Shared::new("an_old_reader_does_not_write_back").await else {
            return;
        };
        let source = Source::default();
        let (has_read, go_on) = (Notify::new(), Notify::new());
        let old_reader = async {
            let load = async {
                has_read.notify_one();
                go_on.notified().await;
                source.load("old").await
            };
            shared.one.get_or_load("key", TTL, load).await.unwrap()
        };
        let writer = async {
            has_read.notified().await;
            shared.two.invalidate("key").await;
            if read_between {
                assert_eq!(source.read(&shared.two, "key", "new").await, "new");
            }
            go_on.notify_one();
        };
        let (old, ()) = tokio::join!(old_reader, writer);
        assert_eq!(*old, "old", "it asked before the change");
        // The word comes to the old reader's process late.
        shared.one.forget_all();
        assert_eq!(source.read(&shared.one, "key", "new").await, "new");
        assert_eq!(source.read(&shared.two, "key", "new").await, "new");
    }
}

#[tokio::test]
async fn a_value_about_to_expire_is_refreshed_by_one_reader_while_the_others_read_on() {
    let Some(mut shared) = Shared::new("a_value_about_to_expire_is_refreshed").await else {
        return;
    };
    // Its load took so long that it is time to begin the next one.
    let old = format!("2:0:{}:\"old\"", Duration::from_secs(3600).as_micros());
    let full_key = shared.full_key("key");
    shared.redis.pset_ex(&full_key, old, 600_000).await.unwrap();
    let source = Source::default();
    assert_eq!(source.read(&shared.one, "key", "new").await, "old");
    let (loads, go_on) = (Notify::new(), Notify::new());
    let refresher = async {
        loop {
            let load = async {
                loads.notify_one();
                go_on.notified().await;
                source.load("new").await
            };
            let read = shared.one.get_or_load("key", TTL, load).await.unwrap();
            if *read == "new" {
                return;
            }
        }
    };
    let others = async {
        loads.notified().await;
        for _ in 0..100 {
            assert_eq!(source.read(&shared.one, "key", "newer").await, "old");
        }
        go_on.notify_one();
    };
    tokio::join!(refresher, others);
    assert_eq!(source.loads(), 1);
    assert_eq!(source.read(&shared.one, "key", "newer").await, "new");

    // The other process takes over what the first has refreshed, when its own time comes.
    let read = source.read(&shared.two, "key", "newer").await;
    assert_eq!(read, "new");
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn a_refresh_that_fails_leaves_the_old_value_which_is_still_good() {
    let Some(mut shared) = Shared::new("a_refresh_that_fails_leaves_the_old_value").await else {
        return;
    };
    let old = format!("2:0:{}:\"old\"", Duration::from_secs(3600).as_micros());
    let full_key = shared.full_key("key");
    shared.redis.pset_ex(&full_key, old, 600_000).await.unwrap();
    let mut failures = 0;
    while failures < 3 {
        let load = async {
            failures += 1;
            Err::<String, _>("the database is away")
        };
        let read = shared.one.get_or_load("key", TTL, load).await;
        assert_eq!(*read.unwrap(), "old");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_concurrent_misses_of_a_process_cause_one_load() {
    let Some(shared) = Shared::new("five_hundred_concurrent_misses").await else {
        return;
    };
    let source = Source::default();
    let start = Arc::new(Barrier::new(500));
    let readers = (0..500).map(|_| {
        let (cache, source, start) = (shared.one.clone(), source.clone(), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            source.read(&cache, "hot", "value").await
        })
    });
    for read in join_all(readers).await {
        assert_eq!(read.unwrap(), "value");
    }
    assert_eq!(source.loads(), 1);
    assert_eq!(source.read(&shared.two, "hot", "other").await, "value");
}
