//! A system whose Redis dies under load: nobody who reads or orders hears of it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use testkit::{
    environment::left_out,
    http::Client,
    services::{Program, Redis},
};

use crate::support::{System, eventually};

const READERS: usize = 8;
const READS: usize = 100;
const PRODUCTS: &str = "query($first: Int) {
  products(first: $first) { edges { node { id name available } } }
}";

/// Reads the same few and other pages again and again, and returns how long each took.
async fn read(gateway: Client, product: String, reader: usize) -> Vec<Duration> {
    let mut waits = Vec::new();
    for number in 0..READS {
        let started = Instant::now();
        if number % 10 == 0 {
            let variables = json!({"first": 1 + (reader + number) % 100});
            gateway.graphql(PRODUCTS, variables).await;
        } else {
            let path = match number % 2 {
                0 => format!("/v1/products/{product}"),
                _ => format!("/v1/products?first={}", 1 + number % 100),
            };
            let _ = gateway.get(&path).await.expect_status(200);
        }
        waits.push(started.elapsed());
    }
    waits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_dies_under_load_costs_no_request_and_little_time() {
    if Program::Redis.find().is_none() {
        left_out("a_redis_that_dies_under_load", "redis-server");
        return;
    }
    let mut redis = Redis::start().await.unwrap();
    let system = System::embedded_with(|settings| settings.with("cache.url", redis.url())).await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let ready = async || system.gateway.get("/health/ready").await.text();
    eventually("Redis is in use", async || {
        ready().await.contains(r#""cache":"ok""#).then_some(())
    })
    .await;

    let readers = (0..READERS).map(|reader| {
        // Half of them have logged in: the limits of both kinds of callers are counted.
        let gateway = if reader % 2 == 0 {
            &ada.gateway
        } else {
            &system.gateway
        };
        tokio::spawn(read(gateway.clone(), product.clone(), reader))
    });
    let readers: Vec<_> = readers.collect();
    let _ = system.gateway.get("/v1/products").await.expect_status(200);
    redis.kill();
    let order = ada.place(&product, "pm_card_visa").await;
    let waits = join_all(readers).await.into_iter().flat_map(Result::unwrap);
    let mut waits: Vec<_> = waits.collect();
    waits.sort_unstable();
    let p99 = waits[waits.len() * 99 / 100];
    assert!(p99 < Duration::from_millis(200), "p99 {p99:?}");
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");

    redis.restart().await.unwrap();
    eventually("Redis is in use again", async || {
        ready().await.contains(r#""cache":"ok""#).then_some(())
    })
    .await;
    let _ = system.gateway.get("/v1/products").await.expect_status(200);
    system.stop().await;
}
