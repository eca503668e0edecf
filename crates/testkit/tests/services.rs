//! Starts the real servers of this machine; what is not installed is left out, loudly.

use sea_orm::ConnectionTrait;
use testkit::environment;
use testkit::postgres::fresh_database;
use testkit::readiness;
use testkit::services::{Durability, Postgres, Program, RabbitMq, Redis};

fn installed(program: Program) -> bool {
    let found = program.find().is_some();
    if !found {
        environment::left_out("a test of the private servers", program.name());
    }
    found
}

fn is_alive(process_id: u32) -> bool {
    std::path::Path::new("/proc")
        .join(process_id.to_string())
        .exists()
}

#[tokio::test]
async fn postgres_keeps_its_data_over_stop_and_kill() {
    if !installed(Program::Postgres) {
        return;
    }
    let mut postgres = Postgres::start(Durability::Relaxed).await.unwrap();
    let port = postgres.port();
    postgres.create_database("shop").unwrap();

    postgres.stop().await.unwrap();
    assert!(!readiness::tcp(port).await);
    postgres.restart().await.unwrap();
    assert!(
        postgres.create_database("shop").is_err(),
        "the database is gone after a stop"
    );

    postgres.kill();
    assert!(!readiness::tcp(port).await);
    postgres.restart().await.unwrap();
    assert!(
        postgres.create_database("shop").is_err(),
        "the database is gone after a kill"
    );

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
    let port = redis.port();
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
    let port = rabbitmq.port();
    rabbitmq.kill();
    assert!(!readiness::rabbitmq(port).await);
    rabbitmq.restart().await.unwrap();
    assert!(readiness::rabbitmq(port).await);

    let id = rabbitmq.id().unwrap();
    assert!(is_alive(id));
    rabbitmq.stop().await.unwrap();
    assert!(!readiness::rabbitmq(port).await);
    assert!(!is_alive(id));
}

#[tokio::test]
async fn a_fresh_database_is_dropped_while_in_use() {
    if !installed(Program::Postgres) {
        return;
    }
    let postgres = Postgres::start(Durability::Relaxed).await.unwrap();
    let database = fresh_database(&postgres.url(), "shop").await.unwrap();
    let url = database.url().to_owned();
    let connection = sea_orm::Database::connect(&url).await.unwrap();
    connection
        .execute_unprepared("CREATE TABLE orders (id int)")
        .await
        .unwrap();
    drop(database);
    let error = sea_orm::Database::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}
