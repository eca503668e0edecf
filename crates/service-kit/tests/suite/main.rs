//! What is shared through Redis, with a real Redis that stops and comes back: a private one for
//! each test. And [`jws`], a table of attacks on tokens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod jws;
mod rate_limit;
mod revocation;

use std::{future::Future, time::Duration};

use testkit::{
    environment::left_out,
    services::{Program, Redis},
};

/// `None`, said aloud, where redis-server is not installed.
async fn private_redis(test: &str) -> Option<Redis> {
    if Program::Redis.find().is_none() {
        left_out(test, "redis-server");
        return None;
    }
    Some(Redis::start().await.unwrap())
}

/// What Redis answers to a command.
async fn ask<T: redis::FromRedisValue>(redis: &Redis, command: &[&str]) -> T {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut question = redis::Cmd::new();
    question.arg(command);
    question.query_async(&mut connection).await.unwrap()
}

/// Asks again until it is so, for twenty seconds.
async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), asking).await;
    assert!(answer.is_ok(), "{what}: not within twenty seconds");
}
