use std::{num::NonZeroU32, sync::Arc, time::Duration};

use actix_web::ResponseError;
use chrono::TimeDelta;
use kernel::ManualClock;

use super::*;

const SECRET: &[u8] = b"a secret of at least 32 bytes ..";

fn quota(name: &'static str, limit: u32) -> Quota {
    Quota {
        name,
        limit: NonZeroU32::new(limit).unwrap(),
        per: Duration::from_secs(60),
    }
}

fn subjects() -> (Subjects, ManualClock) {
    let clock = ManualClock::starting_now();
    (Subjects::in_memory(SECRET, Arc::new(clock.clone())), clock)
}

#[tokio::test]
async fn each_subject_and_each_quota_is_counted_for_itself() {
    let (subjects, clock) = subjects();
    let limiter = RateLimiter::new(subjects);
    let (two, one) = (quota("two", 2), quota("one", 1));
    let check = async |quota: &Quota, subject: &str| {
        limiter.check(&[quota.charge(subject.as_bytes())]).await
    };
    check(&two, "ada").await.unwrap();
    check(&two, "ada").await.unwrap();
    let refused = check(&two, "ada").await.unwrap_err();
    assert_eq!(refused.quota.name, "two");
    assert_eq!(refused.retry_after, Duration::from_secs(30));
    check(&two, "bob").await.unwrap();
    check(&one, "ada").await.unwrap();
    clock.advance(TimeDelta::seconds(30));
    check(&two, "ada").await.unwrap();
    check(&two, "ada").await.unwrap_err();
}

#[tokio::test]
async fn who_is_refused_for_one_quota_uses_up_no_other() {
    let (subjects, _) = subjects();
    let limiter = RateLimiter::new(subjects);
    let (own, common) = (quota("own", 1), quota("common", 2));
    let check = async |subject: &str| {
        let charges = [own.charge(subject.as_bytes()), common.charge(b"")];
        limiter
            .check(&charges)
            .await
            .map_err(|refused| refused.quota.name)
    };
    check("ada").await.unwrap();
    for _ in 0..100 {
        assert_eq!(check("ada").await, Err("own"));
    }
    check("bob").await.unwrap();
    assert_eq!(check("eve").await, Err("common"));
}

#[tokio::test]
async fn failures_in_a_row_double_the_wait_from_the_fifth_on_up_to_a_quarter_of_an_hour() {
    let (subjects, clock) = subjects();
    let backoff = Backoff::new(subjects, BackoffPolicy::new("test"));
    for _ in 0..4 {
        backoff.failed(b"ada").await;
        backoff.check(b"ada").await.unwrap();
    }
    for wait in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900] {
        backoff.failed(b"ada").await;
        let refused = backoff.check(b"ada").await.unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(wait));
        clock.advance(TimeDelta::seconds(wait as i64) - TimeDelta::microseconds(1));
        backoff.check(b"ada").await.unwrap_err();
        clock.advance(TimeDelta::microseconds(1));
        backoff.check(b"ada").await.unwrap();
    }
    backoff.check(b"bob").await.unwrap();

    backoff.succeeded(b"ada").await;
    backoff.failed(b"ada").await;
    backoff.check(b"ada").await.unwrap();
}

#[tokio::test]
async fn failures_of_the_day_before_are_forgotten() {
    let (subjects, clock) = subjects();
    let backoff = Backoff::new(subjects, BackoffPolicy::new("test"));
    for _ in 0..4 {
        backoff.failed(b"ada").await;
    }
    clock.advance(TimeDelta::hours(24));
    backoff.failed(b"ada").await;
    backoff.check(b"ada").await.unwrap();
}

#[test]
fn the_answer_names_the_quota_and_the_wait() {
    let too_many = TooMany {
        quota: quota("log-ins", 20),
        retry_after: Duration::from_millis(2001),
    };
    let response = Problem::from(too_many).error_response();
    assert_eq!(response.status(), 429);
    let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("retry-after"), "3");
    assert_eq!(header("ratelimit"), "\"log-ins\";r=0;t=3");
    assert_eq!(header("ratelimit-policy"), "\"log-ins\";q=20;w=60");
}

#[test]
fn nobody_can_tell_from_a_key_whose_it_is() {
    let (subjects, clock) = subjects();
    let key = subjects.key("limit", "log-ins", b"192.0.2.1");
    assert!(!key.contains("192"), "{key}");
    let other_secret = Subjects::in_memory(&[7; 32], Arc::new(clock));
    assert_ne!(key, other_secret.key("limit", "log-ins", b"192.0.2.1"));
    assert_ne!(subjects.hash("a", b"bc"), subjects.hash("ab", b"c"));
}

#[tokio::test]
async fn a_budget_is_used_up_by_cost_and_fills_up_again() {
    let (subjects, clock) = subjects();
    let budget = Budget::new(quota("cost", 60), subjects);
    let (ada, bob) = (budget.payer(b"ada"), budget.payer(b"bob"));
    let paid = budget.spend(ada, 20).await.unwrap();
    assert_eq!((paid.remaining, paid.reset.as_secs()), (40, 20));
    let header = |at: usize| paid.headers()[at].1.to_str().unwrap().to_owned();
    assert_eq!(header(0), "\"cost\";r=40;t=20");
    assert_eq!(header(1), "\"cost\";q=60;w=60");
    budget.spend(ada, 39).await.unwrap();

    let refused = budget.spend(ada, 6).await.unwrap_err();
    assert_eq!(refused.retry_after, Duration::from_secs(5));
    budget.check(ada).unwrap_err();
    budget.check(bob).unwrap();
    budget.spend(bob, 60).await.unwrap();
    // Who was told to wait waits, for something cheaper, too.
    clock.advance(TimeDelta::seconds(4));
    budget.check(ada).unwrap_err();
    clock.advance(TimeDelta::seconds(1));
    budget.check(ada).unwrap();
    budget.spend(ada, 6).await.unwrap();
}

#[tokio::test]
async fn what_costs_more_than_the_whole_budget_is_paid_with_the_whole() {
    let (subjects, clock) = subjects();
    let budget = Budget::new(quota("cost", 60), subjects);
    let ada = budget.payer(b"ada");
    assert_eq!(budget.spend(ada, u32::MAX).await.unwrap().remaining, 0);
    budget.spend(ada, u32::MAX).await.unwrap_err();
    clock.advance(TimeDelta::seconds(60));
    budget.spend(ada, u32::MAX).await.unwrap();
}
