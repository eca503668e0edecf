//! The connection that others share with the cache.

use std::time::{Duration, Instant};

use cache::{BUDGET, CacheError, RedisLink, Script};
use testkit::services::{Program, Redis};

use crate::{connect, left_out};

#[tokio::test]
async fn a_script_runs_over_the_caches_connection_and_fails_at_once_while_redis_is_away() {
    if Program::Redis.find().is_none() {
        left_out("a_script_runs_over_the_caches_connection", "redis-server");
        return;
    }
    let mut redis = Redis::start().await.unwrap();
    let cache = connect(&redis.url(), "test").await;
    let link = cache.redis().unwrap().clone();
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let mut invocation = script.prepare_invoke();
    invocation.key("counter").arg(5);
    let mut sums = Vec::new();
    for _ in 0..2 {
        let sum: i64 = link.run("sum", &invocation, BUDGET).await.unwrap();
        sums.push(sum);
    }
    assert_eq!(sums, [5, 10]);

    redis.kill();
    let failing = async { while link.run::<i64>("sum", &invocation, BUDGET).await.is_ok() {} };
    failing.await;
    while link.is_available() {
        let _ = link.run::<i64>("sum", &invocation, BUDGET).await;
    }
    let started = Instant::now();
    for _ in 0..1000 {
        let error = link.run::<i64>("sum", &invocation, BUDGET).await.err();
        assert!(matches!(error, Some(CacheError::Away)), "{error:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "nobody waits");
}

#[tokio::test]
async fn a_malformed_url_is_refused_without_quoting_it() {
    let error = RedisLink::connect("redis://:secret@host:port").await.err();
    let error = error.expect("it is refused");
    assert!(matches!(error, CacheError::MalformedUrl(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("secret"));
}
