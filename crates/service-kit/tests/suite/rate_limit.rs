//! Two limiters on one Redis stand for two replicas.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use cache::RedisLink;
use kernel::SystemClock;
use service_kit::rate_limit::{Backoff, BackoffPolicy, Budget, Quota, RateLimiter, Subjects};
use testkit::services::Redis;

use crate::{ask, eventually, private_redis};

const SECRET: &[u8] = b"a secret of at least 32 bytes ..";

async fn subjects(redis: &Redis) -> (Subjects, RedisLink) {
    let link = RedisLink::connect(&redis.url()).await.unwrap();
    let subjects = Subjects::over(link.clone(), "test", SECRET, Arc::new(SystemClock));
    (subjects, link)
}

fn quota(name: &'static str, limit: u32, per: Duration) -> Quota {
    Quota {
        name,
        limit: NonZeroU32::new(limit).unwrap(),
        per,
    }
}

/// How many of a hundred requests are admitted.
async fn admitted(limiter: &RateLimiter, quota: &Quota) -> usize {
    let mut admitted = 0;
    for _ in 0..100 {
        let answer = limiter.check(&[quota.charge(b"ada")]).await;
        admitted += usize::from(answer.is_ok());
    }
    admitted
}

#[tokio::test]
async fn replicas_share_one_quota_which_fills_up_again() {
    let Some(redis) = private_redis("replicas_share_one_quota").await else {
        return;
    };
    let one = RateLimiter::new(subjects(&redis).await.0);
    let two = RateLimiter::new(subjects(&redis).await.0);
    let hourly = quota("hourly", 30, Duration::from_secs(3600));
    assert_eq!(admitted(&one, &hourly).await, 30);
    assert_eq!(admitted(&two, &hourly).await, 0);
    let refused = two.check(&[hourly.charge(b"ada")]).await.unwrap_err();
    assert!(refused.retry_after <= Duration::from_secs(120));
    assert!(refused.retry_after > Duration::from_secs(60));
    two.check(&[hourly.charge(b"bob")]).await.unwrap();

    // Refused for one quota, a request uses up no other, and the shortest is not told.
    let brief = quota("brief", 1, Duration::from_millis(50));
    for _ in 0..3 {
        let charges = [brief.charge(b"ada"), hourly.charge(b"ada")];
        assert_eq!(one.check(&charges).await.unwrap_err().quota, hourly);
    }
    one.check(&[brief.charge(b"ada")]).await.unwrap();
    eventually("the quota fills up again", async || {
        two.check(&[brief.charge(b"ada")]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn keys_in_redis_name_nobody_and_expire() {
    let Some(redis) = private_redis("keys_in_redis_name_nobody_and_expire").await else {
        return;
    };
    let (subjects, _) = subjects(&redis).await;
    let hourly = quota("hourly", 30, Duration::from_secs(3600));
    let limiter = RateLimiter::new(subjects.clone());
    limiter
        .check(&[hourly.charge(b"ada@example.com")])
        .await
        .unwrap();
    let backoff = Backoff::new(subjects, BackoffPolicy::new("log-ins"));
    backoff.failed(b"ada@example.com").await;
    let keys: Vec<String> = ask(&redis, &["KEYS", "*"]).await;
    assert_eq!(keys.len(), 2);
    for key in keys {
        assert!(!key.contains("ada"), "{key}");
        let left: i64 = ask(&redis, &["PTTL", &key]).await;
        assert!(left > 0, "{key}");
    }
}

#[tokio::test]
async fn while_redis_is_away_each_replica_counts_for_itself_without_waiting() {
    let Some(mut redis) = private_redis("while_redis_is_away_each_replica_counts").await else {
        return;
    };
    let (subjects, link) = subjects(&redis).await;
    let limiter = RateLimiter::new(subjects);
    let hourly = quota("hourly", 30, Duration::from_secs(3600));
    assert_eq!(admitted(&limiter, &hourly).await, 30);

    redis.kill();
    let started = Instant::now();
    assert_eq!(
        admitted(&limiter, &hourly).await,
        30,
        "counted here, afresh"
    );
    // Three failures open the breaker: without it these were a hundred budgets of 50 ms.
    assert!(started.elapsed() < Duration::from_secs(3));
    assert!(!link.is_available());

    redis.restart().await.unwrap();
    eventually("Redis is used again", async || link.is_available()).await;
    assert_eq!(
        admitted(&limiter, &hourly).await,
        30,
        "this Redis came back empty"
    );
    let keys: Vec<String> = ask(&redis, &["KEYS", "*"]).await;
    assert_eq!(keys.len(), 1, "and counts now");
}

#[tokio::test]
async fn replicas_share_the_failures_and_the_success_that_ends_them() {
    let Some(mut redis) = private_redis("replicas_share_the_failures").await else {
        return;
    };
    let policy = BackoffPolicy::new("log-ins");
    let one = Backoff::new(subjects(&redis).await.0, policy);
    let (second, link) = subjects(&redis).await;
    let two = Backoff::new(second, policy);
    for _ in 0..2 {
        one.failed(b"ada").await;
        two.failed(b"ada").await;
        one.check(b"ada").await.unwrap();
    }
    let waits = [5, 10, 20, 40, 80, 160, 320, 640, 900, 900];
    for wait in waits.map(Duration::from_secs) {
        one.failed(b"ada").await;
        let refused = two.check(b"ada").await.unwrap_err();
        assert!(refused.retry_after <= wait, "{refused}");
        assert!(
            refused.retry_after > wait - Duration::from_secs(4),
            "{refused}"
        );
    }
    two.check(b"bob").await.unwrap();
    two.succeeded(b"ada").await;
    one.check(b"ada").await.unwrap();

    redis.kill();
    for _ in 0..5 {
        two.check(b"ada").await.unwrap();
        two.failed(b"ada").await;
    }
    two.check(b"ada").await.unwrap_err();
    redis.restart().await.unwrap();
    eventually("Redis is used again", async || link.is_available()).await;
    two.check(b"ada").await.unwrap();
}

/// Spends one at a time until it is refused, and says how often it was paid.
async fn paid(budget: &Budget, most: usize) -> usize {
    let payer = budget.payer(b"ada");
    let mut paid = 0;
    while paid < most && budget.spend(payer, 1).await.is_ok() {
        paid += 1;
    }
    paid
}

#[tokio::test]
async fn replicas_share_one_budget_and_most_requests_ask_nobody() {
    let Some(redis) = private_redis("replicas_share_one_budget").await else {
        return;
    };
    let hourly = quota("cost", 10_000, Duration::from_secs(1_000_000));
    let one = Budget::new(hourly, subjects(&redis).await.0);
    let two = Budget::new(hourly, subjects(&redis).await.0);
    assert_eq!(paid(&one, 3_000).await, 3_000);
    let asked: String = ask(&redis, &["INFO", "commandstats"]).await;
    let line = asked
        .lines()
        .find(|line| line.starts_with("cmdstat_evalsha:"));
    let calls = line.unwrap().split(['=', ',']).nth(1).unwrap();
    assert!(
        calls.parse::<u32>().unwrap() < 300,
        "{calls} for 3,000 requests"
    );

    // Nobody gets more than there is, and hardly anything is lost.
    let rest = paid(&two, 10_000).await + paid(&one, 10_000).await;
    assert!((6_900..=7_000).contains(&rest), "{rest}");
    let refused = two.spend(two.payer(b"ada"), 1).await.unwrap_err();
    assert!(refused.retry_after <= Duration::from_secs(100), "{refused}");
    two.spend(two.payer(b"bob"), 10_000).await.unwrap();
}

#[tokio::test]
async fn while_redis_is_away_each_replica_has_the_budget_for_itself() {
    let Some(mut redis) = private_redis("while_redis_is_away_each_replica_has_the_budget").await
    else {
        return;
    };
    let (subjects, link) = subjects(&redis).await;
    let budget = Budget::new(quota("cost", 50, Duration::from_secs(1_000_000)), subjects);
    let ada = budget.payer(b"ada");
    let first = budget.spend(ada, 20).await.unwrap();
    assert_eq!(first.remaining, 30);
    redis.kill();
    let started = Instant::now();
    assert_eq!(paid(&budget, 100).await, 50, "counted here, afresh");
    assert!(started.elapsed() < Duration::from_secs(3));
    budget.check(ada).unwrap_err();

    redis.restart().await.unwrap();
    eventually("Redis is used again", async || link.is_available()).await;
    budget.spend(budget.payer(b"bob"), 5).await.unwrap();
    let keys: Vec<String> = ask(&redis, &["KEYS", "*"]).await;
    assert_eq!(keys.len(), 1, "and counts now");
}
