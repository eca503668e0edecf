//! Redis as a process that dies, hangs and comes back: a private one for each test.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cache::{Cache, CacheError};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use testkit::{
    ports,
    services::{Program, Redis},
};
use tokio::sync::Barrier;

use crate::{Source, connect, left_out};

/// `None`, said aloud, where redis-server is not installed.
async fn private_redis(test: &str) -> Option<Redis> {
    if Program::Redis.find().is_none() {
        left_out(test, "redis-server");
        return None;
    }
    Some(Redis::start().await.unwrap())
}

/// Returns once the cache has noticed by itself. The round trips to Redis pace the waiting.
async fn until_ready(cache: &Cache, redis: &Redis) {
    let client = ::redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let noticed = async {
        while !cache.is_ready() {
            let ping = ::redis::cmd("PING");
            ping.exec_async(&mut connection).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noticed)
        .await
        .expect("the cache finds Redis again");
}

#[tokio::test]
async fn a_redis_that_is_away_at_start_is_no_error() {
    let url = format!("redis://127.0.0.1:{}", ports::free_port().unwrap());
    let cache = connect(&url, "test").await;
    assert!(!cache.is_ready());
    let error = cache.ping().await.unwrap_err();
    assert!(
        matches!(error, CacheError::Redis(_) | CacheError::Timeout(_)),
        "{error:?}"
    );
    let source = Source::default();
    assert_eq!(source.read(&cache, "key", "value").await, "value");
    assert_eq!(source.read(&cache, "key", "other").await, "value");
    cache.invalidate("key").await;
    assert_eq!(source.read(&cache, "key", "new").await, "new");
}

#[tokio::test]
async fn a_redis_that_comes_later_is_found_without_being_asked_for() {
    let Some(mut redis) = private_redis("a_redis_that_comes_later_is_found").await else {
        return;
    };
    redis.kill();
    let cache = connect(&redis.url(), "test").await;
    assert!(!cache.is_ready());
    redis.restart().await.unwrap();
    until_ready(&cache, &redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_killed_under_load_causes_no_error_and_is_used_again_after() {
    let Some(mut redis) = private_redis("a_redis_killed_under_load").await else {
        return;
    };
    let cache = connect(&redis.url(), "test").await;
    assert!(cache.is_ready());
    let source = Source::default();
    source.read(&cache, "known", "value").await;

    let half_way = Arc::new(Barrier::new(51));
    let readers = (0..50).map(|reader| {
        let (cache, source, half_way) = (cache.clone(), source.clone(), half_way.clone());
        tokio::spawn(async move {
            let mut waits = Vec::new();
            for key in 0..20 {
                if key == 10 {
                    half_way.wait().await;
                }
                let key = format!("{reader}/{key}");
                let started = Instant::now();
                assert_eq!(source.read(&cache, &key, &key).await, key);
                waits.push(started.elapsed());
                cache.invalidate(&key).await;
            }
            waits
        })
    });
    let readers: Vec<_> = readers.collect();
    half_way.wait().await;
    redis.kill();
    let waits = join_all(readers).await.into_iter().flat_map(Result::unwrap);
    let mut waits: Vec<_> = waits.collect();
    waits.sort_unstable();
    let p99 = waits[waits.len() * 99 / 100];
    assert!(p99 < Duration::from_millis(200), "p99 {p99:?}");
    assert_eq!(source.loads(), 1 + 50 * 20);
    // It may have been forgotten together with one of the readers' keys.
    source.read(&cache, "known", "value").await;
    assert_eq!(source.read(&cache, "known", "other").await, "value");
    for key in ["a", "b", "c"] {
        source.read(&cache, key, key).await;
    }
    assert!(!cache.is_ready(), "three failures in a row are enough");

    redis.restart().await.unwrap();
    until_ready(&cache, &redis).await;
    source.read(&cache, "after", "value").await;
    let another = connect(&redis.url(), "test").await;
    assert_eq!(source.read(&another, "after", "other").await, "value");
}

#[tokio::test]
async fn a_redis_that_hangs_costs_a_few_budgets_and_then_nothing() {
    let Some(redis) = private_redis("a_redis_that_hangs_costs_a_few_budgets").await else {
        return;
    };
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let cache = connect(&redis.url(), "test").await;
    assert!(cache.is_ready());
    let client = ::redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut pause = ::redis::cmd("CLIENT");
    pause.arg("PAUSE").arg(60_000).arg("ALL");
    pause.exec_async(&mut connection).await.unwrap();

    let source = Source::default();
    let started = Instant::now();
    for key in 0..100 {
        source.read(&cache, &key.to_string(), "value").await;
    }
    // Without the breaker these are 200 operations of 50 ms.
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(source.loads(), 100);
    assert!(!cache.is_ready());
    assert!(matches!(
        cache.ping().await.unwrap_err(),
        CacheError::Timeout(_)
    ));
    let text = metrics.render();
    let counted = r#"plumbline_redis_errors_total{operation="get"}"#;
    assert!(text.contains(counted), "{text}");
}
