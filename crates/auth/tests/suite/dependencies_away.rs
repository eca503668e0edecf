//! Redis and PostgreSQL, really stopped and started again under a running service. Two services on
//! one database stand for two replicas.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use auth::Limits;
use kernel::Role;
use reqwest::Method;
use serde_json::Value;
use testkit::{
    environment::left_out,
    services::{Durability, Postgres, Program, Redis},
};

use crate::harness::{EMAIL, Options, PASSWORD, Store, TestApp, eventually};

const SESSIONS: &str = "/auth/v1/sessions";
/// Its permission is privileged.
const PRIVILEGED: &str = "/auth/v1/me/mfa";

async fn private_redis(test: &str) -> Option<Redis> {
    if Program::Redis.find().is_none() {
        left_out(test, "redis-server");
        return None;
    }
    Some(Redis::start().await.unwrap())
}

fn over(redis: &Redis) -> Options {
    Options {
        redis: Some(redis.url()),
        limits: Limits {
            failed_log_ins: NonZeroU32::new(5).unwrap(),
            ..Limits::NONE
        },
        ..Options::default()
    }
}

async fn replica_of(one: &TestApp, redis: &Redis) -> TestApp {
    let options = Options {
        public_url: Some(one.origin.clone()),
        clock: one.clock.clone(),
        ..over(redis)
    };
    TestApp::start_on(one.store.sharing(), options).await
}

fn token(session: &Value) -> String {
    format!("Bearer {}", session["access_token"].as_str().unwrap())
}

async fn status(app: &TestApp, path: &str, token: &str) -> u16 {
    app.send_as(Method::GET, path, token).await.status
}

async fn until_status(app: &TestApp, path: &str, token: &str, expected: u16) {
    let what = format!("{path} answers {expected}");
    let answered = async || (status(app, path, token).await == expected).then_some(());
    eventually(&what, answered).await;
}

#[actix_web::test]
async fn what_one_replica_ends_the_other_refuses_within_a_second() {
    let Some(redis) = private_redis("what_one_replica_ends_the_other_refuses").await else {
        return;
    };
    let one = TestApp::start_with(over(&redis)).await;
    let two = replica_of(&one, &redis).await;
    one.seed(EMAIL, Role::Customer).await;
    let mut fastest = Duration::MAX;
    // A busy machine may be late once.
    for _ in 0..3 {
        let session = one.log_in(EMAIL, PASSWORD).await.expect(201);
        assert_eq!(status(&two, "/auth/v1/me", &token(&session)).await, 200);
        let ended = one
            .send_as(Method::DELETE, SESSIONS, &token(&session))
            .await;
        ended.expect(204);
        let started = Instant::now();
        until_status(&two, "/auth/v1/me", &token(&session), 401).await;
        fastest = fastest.min(started.elapsed());
    }
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    two.stop().await;
    one.finish().await;
}

#[actix_web::test]
async fn replicas_count_failed_log_ins_together() {
    let Some(redis) = private_redis("replicas_count_failed_log_ins_together").await else {
        return;
    };
    let one = TestApp::start_with(over(&redis)).await;
    let two = replica_of(&one, &redis).await;
    one.seed(EMAIL, Role::Customer).await;
    for replica in [&one, &two, &one, &two, &one] {
        replica.log_in(EMAIL, "a wrong password").await.expect(401);
    }
    let answer = two.log_in(EMAIL, PASSWORD).await;
    answer.expect_problem(429, "too-many-requests");
    two.stop().await;
    one.finish().await;
}

#[actix_web::test]
async fn without_redis_everything_works_on_except_what_must_be_certain() {
    let Some(mut redis) = private_redis("without_redis_everything_works_on").await else {
        return;
    };
    let one = TestApp::start_with(over(&redis)).await;
    let two = replica_of(&one, &redis).await;
    one.seed(EMAIL, Role::Customer).await;
    let session = one.log_in(EMAIL, PASSWORD).await.expect(201);
    let ended_before = one.log_in(EMAIL, PASSWORD).await.expect(201);
    let path = format!(
        "{SESSIONS}/{}",
        ended_before["session_id"].as_str().unwrap()
    );
    let ended = one.send_as(Method::DELETE, &path, &token(&session)).await;
    ended.expect(204);
    until_status(&two, "/auth/v1/me", &token(&ended_before), 401).await;
    until_status(&two, PRIVILEGED, &token(&session), 200).await;

    redis.kill();
    // Nobody can tell any more who has been revoked.
    until_status(&two, PRIVILEGED, &token(&session), 503).await;
    let refused = two.send_as(Method::GET, PRIVILEGED, &token(&session)).await;
    refused.expect_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    // The rest goes on: with what was known before,
    assert_eq!(status(&two, "/auth/v1/me", &token(&session)).await, 200);
    assert_eq!(
        status(&two, "/auth/v1/me", &token(&ended_before)).await,
        401
    );
    // with log-ins and refreshes,
    let meanwhile = one.log_in(EMAIL, PASSWORD).await.expect(201);
    let refresh_token = session["refresh_token"].as_str().unwrap();
    one.refresh(refresh_token).await.expect(200);
    // with log-outs, which this replica honours at once and the other from its database,
    let ended = one
        .send_as(Method::DELETE, SESSIONS, &token(&meanwhile))
        .await;
    ended.expect(204);
    assert_eq!(status(&one, "/auth/v1/me", &token(&meanwhile)).await, 401);
    until_status(&two, "/auth/v1/me", &token(&meanwhile), 401).await;
    // and with limits, by each replica for itself.
    for _ in 0..5 {
        two.log_in(EMAIL, "a wrong password").await.expect(401);
    }
    let answer = two.log_in(EMAIL, PASSWORD).await;
    answer.expect_problem(429, "too-many-requests");
    let after = one.log_in(EMAIL, PASSWORD).await.expect(201);

    redis.restart().await.unwrap();
    until_status(&two, PRIVILEGED, &token(&after), 200).await;
    until_status(&one, PRIVILEGED, &token(&after), 200).await;
    assert_eq!(
        status(&two, "/auth/v1/me", &token(&ended_before)).await,
        401
    );
    two.stop().await;
    one.finish().await;
}

#[actix_web::test]
async fn without_its_database_the_service_says_when_to_try_again_and_recovers_by_itself() {
    if Program::Postgres.find().is_none() {
        left_out("without_its_database_the_service_says_when", "postgres");
        return;
    }
    let mut postgres = Postgres::start(Durability::Relaxed).await.unwrap();
    let url = postgres.create_database("auth").unwrap();
    let app = TestApp::start_on(Store::on(&url).await, Options::default()).await;
    let session = app.seed_and_log_in().await;

    postgres.stop().await.unwrap();
    let refresh_token = session["refresh_token"].as_str().unwrap();
    let answers = [
        app.log_in(EMAIL, PASSWORD).await,
        app.refresh(refresh_token).await,
        app.register("bob@example.com", PASSWORD).await,
        app.send_as(Method::GET, SESSIONS, &token(&session)).await,
        app.send_as(Method::DELETE, SESSIONS, &token(&session))
            .await,
    ];
    for answer in answers {
        answer.expect_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    // What needs no database works on.
    app.get("/auth/.well-known/jwks.json").await.expect(200);

    postgres.restart().await.unwrap();
    let back = async || (app.log_in(EMAIL, PASSWORD).await.status == 201).then_some(());
    eventually("log-ins work again", back).await;
    app.refresh(refresh_token).await.expect(200);
    app.finish_leaving_dead_letters().await;
}
