//! Starts the real servers of this machine; what is not installed is left out, loudly.

use testkit::readiness;
use testkit::services::{Durability, Postgres, Program, RabbitMq, Redis};

fn installed(program: Program) -> bool {
    let found = program.find().is_some();
    if !found {
        eprintln!("LEFT OUT: {} is not installed (run `cargo xtask test`)", program.name());
    }
    found
}

fn port(url: &str) -> u16 {
    let (_, after) = url.rsplit_once(':').unwrap();
    after.split('/').next().unwrap().parse().unwrap()
}

fn is_alive(process_id: u32) -> bool {
    std::path::Path::new("/proc").join(process_id.to_string()).exists()
}

#[tokio::test]
async fn postgres_keeps_its_data_over_stop_and_kill() {
    if !installed(Program::Postgres) {
        return;
    }
    let mut postgres = Postgres::start(Durability::Relaxed).await.unwrap();
    let port = port(&postgres.url());
    postgres.create_database("shop").unwrap();

    postgres.stop().await.unwrap();
    assert!(!readiness::tcp(port).await);
    postgres.restart().await.unwrap();
    assert!(postgres.create_database("shop").is_err(), "the database is gone after a stop");

    postgres.kill();
    assert!(!readiness::tcp(port).await);
    postgres.restart().await.unwrap();
    assert!(postgres.create_database("shop").is_err(), "the database is gone after a kill");

    let id = postgres.id().unwrap();
    drop(postgres);
    assert!(!is_alive(id));
}

#[tokio::test]
async fn redis_comes_back_on_its_port() {
    if !installed(Program::Redis) {
        return;
    }
    let mut redis = Redis::start().await.unwrap();
    let port = port(&redis.url());
    redis.kill();
    assert!(!readiness::redis(port).await);
    redis.restart().await.unwrap();
    assert!(readiness::redis(port).await);
    redis.stop().await.unwrap();
    assert!(!readiness::redis(port).await);
}

#[tokio::test]
async fn rabbitmq_comes_back_on_its_port_and_leaves_nothing_behind() {
    if !installed(Program::RabbitMq) {
        return;
    }
    let mut rabbitmq = RabbitMq::start().await.unwrap();
    let port = port(&rabbitmq.url());
    rabbitmq.kill();
    assert!(!readiness::rabbitmq(port).await);
    rabbitmq.restart().await.unwrap();
    assert!(readiness::rabbitmq(port).await);

    let id = rabbitmq.id().unwrap();
    rabbitmq.stop().await.unwrap();
    assert!(!readiness::rabbitmq(port).await);
    assert!(!is_alive(id));
}
