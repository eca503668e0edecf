//! Two lists on one Redis stand for two processes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cache::RedisLink;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, ManualClock, SystemClock};
use service_kit::revocation::RevocationList;
use testkit::services::Redis;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::{ask, eventually, private_redis};

/// A process's list, which is kept current until it is dropped.
struct Process {
    list: RevocationList,
    _stop: DropGuard,
}

impl Process {
    async fn start(redis: &Redis) -> Self {
        let link = RedisLink::connect(&redis.url()).await.unwrap();
        let list = RevocationList::over(link, "test", Arc::new(SystemClock));
        let stop = CancellationToken::new();
        tokio::spawn({
            let (list, stop) = (list.clone(), stop.clone());
            async move { list.run(stop).await }
        });
        Self {
            list,
            _stop: stop.drop_guard(),
        }
    }

    async fn until_current(&self) {
        eventually("the list is current", async || self.list.is_current()).await;
    }

    async fn until_revoked(&self, id: Uuid) {
        eventually("the revocation arrives", async || self.list.is_revoked(id)).await;
    }
}

fn in_ten_minutes() -> DateTime<Utc> {
    SystemClock.now() + TimeDelta::minutes(10)
}

#[tokio::test]
async fn what_one_process_revokes_all_others_refuse_within_a_second() {
    let Some(redis) = private_redis("what_one_process_revokes_all_others_refuse").await else {
        return;
    };
    let (one, two) = (Process::start(&redis).await, Process::start(&redis).await);
    one.until_current().await;
    two.until_current().await;
    let ids: Vec<_> = (0..1234).map(|_| Uuid::now_v7()).collect();
    one.list.revoke(&ids, in_ten_minutes()).await;
    assert!(
        ids.iter().all(|id| one.list.is_revoked(*id)),
        "at once where it was made"
    );
    two.until_revoked(ids[1233]).await;

    let mut fastest = Duration::MAX;
    // A busy machine may be late once.
    for _ in 0..3 {
        let id = Uuid::now_v7();
        let started = Instant::now();
        one.list.revoke(&[id], in_ten_minutes()).await;
        two.list.revoked(&[id]).await;
        fastest = fastest.min(started.elapsed());
    }
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    assert!(!two.list.is_revoked(Uuid::now_v7()));

    let late = Process::start(&redis).await;
    late.until_current().await;
    assert!(ids.iter().all(|id| late.list.is_revoked(*id)), "all pages");
}

#[tokio::test]
async fn while_redis_is_away_no_list_is_current_and_nothing_known_is_forgotten() {
    let Some(mut redis) = private_redis("while_redis_is_away_no_list_is_current").await else {
        return;
    };
    let (one, two) = (Process::start(&redis).await, Process::start(&redis).await);
    let [before, meanwhile] = [Uuid::now_v7(), Uuid::now_v7()];
    one.list.revoke(&[before], in_ten_minutes()).await;
    two.until_revoked(before).await;

    redis.kill();
    eventually("it is noticed", async || {
        !one.list.is_current() && !two.list.is_current()
    })
    .await;
    one.list.revoke(&[meanwhile], in_ten_minutes()).await;
    assert!(one.list.is_revoked(before) && one.list.is_revoked(meanwhile));
    assert!(two.list.is_revoked(before) && !two.list.is_revoked(meanwhile));

    redis.restart().await.unwrap();
    two.until_revoked(meanwhile).await;
    // This Redis came back empty, and the copies told it again.
    let late = Process::start(&redis).await;
    late.until_revoked(before).await;
    late.until_revoked(meanwhile).await;
    one.until_current().await;
    two.until_current().await;
}

#[tokio::test]
async fn a_redis_that_loses_its_data_is_told_again() {
    let Some(redis) = private_redis("a_redis_that_loses_its_data_is_told_again").await else {
        return;
    };
    let one = Process::start(&redis).await;
    one.until_current().await;
    let id = Uuid::now_v7();
    one.list.revoke(&[id], in_ten_minutes()).await;
    let losses: [&[&str]; 2] = [&["FLUSHALL"], &["DEL", "test:revocations:state"]];
    for loss in losses {
        let _: redis::Value = ask(&redis, loss).await;
        let late = Process::start(&redis).await;
        late.until_revoked(id).await;
    }
}

#[tokio::test]
async fn what_has_expired_leaves_redis() {
    let Some(redis) = private_redis("what_has_expired_leaves_redis").await else {
        return;
    };
    let past = ManualClock::at(SystemClock.now() - TimeDelta::hours(1));
    let link = RedisLink::connect(&redis.url()).await.unwrap();
    let list = RevocationList::over(link, "test", Arc::new(past.clone()));
    let ids: Vec<_> = (0..10).map(|_| Uuid::now_v7()).collect();
    list.revoke(&ids, past.now() + TimeDelta::minutes(10)).await;
    let kept = Uuid::now_v7();
    list.revoke(&[kept], in_ten_minutes()).await;
    for key in ["test:revocations:versions", "test:revocations:expiries"] {
        let members: Vec<String> = ask(&redis, &["ZRANGE", key, "0", "-1"]).await;
        assert_eq!(members, [kept.to_string()], "{key}");
    }
}
