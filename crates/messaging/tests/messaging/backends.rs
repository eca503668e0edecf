//! What each test runs over.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use database::Database;
use futures_util::{StreamExt, stream::BoxStream};
use kernel::{Clock, ManualClock};
use messaging::{Broker, BrokerConfig, Delivery, Message, QueueSpec, outbox::OutboxEvent};
use migrations::{MigratorTrait, OrdersMigrator};
use testkit::{environment, postgres::FreshDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Nothing in these tests takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

pub const WORK: &str = "work";
pub const AUDIT: &str = "audit";
pub const QUEUES: &[QueueSpec] = &[
    QueueSpec {
        name: WORK,
        bindings: &["test.work.*"],
        delivery_limit: 2,
    },
    QueueSpec {
        name: AUDIT,
        bindings: &["test.audit.#", "test.both.v1"],
        delivery_limit: 2,
    },
    QueueSpec {
        name: "both",
        bindings: &["test.both.v1"],
        delivery_limit: 2,
    },
];

/// The value, unless it takes so long that the test has failed.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: nothing happened in {PATIENCE:?}"))
}

pub async fn next(deliveries: &mut BoxStream<'static, Delivery>) -> Delivery {
    in_time("a delivery", deliveries.next())
        .await
        .expect("the stream does not end")
}

pub fn message(event_type: &str) -> Message {
    Message {
        id: Uuid::now_v7(),
        event_type: event_type.to_owned(),
        aggregate_id: Uuid::now_v7(),
        body: format!(r#"{{"type":"{event_type}"}}"#).into(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    }
}

/// A configuration with a namespace of its own.
pub fn config(url: &str) -> BrokerConfig {
    let namespace = format!("test-{}", Uuid::new_v4().simple());
    BrokerConfig::new(url, namespace)
}

pub async fn connect(config: BrokerConfig) -> Broker {
    Broker::connect(config, QUEUES, CancellationToken::new())
        .await
        .expect("the broker is there")
}

pub async fn publish(broker: &Broker, messages: &[Message]) {
    for result in broker.publish(messages).await {
        result.expect("the message is confirmed");
    }
}

/// The URL of the RabbitMQ to test against, or `None`, said loudly.
pub fn amqp_url(test: &str) -> Option<String> {
    given(environment::AMQP_URL, test)
}

fn given(variable: &str, test: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if value.is_none() {
        eprintln!("LEFT OUT: {test}: {variable} is not set");
    }
    value
}

/// The in-process broker, and RabbitMQ if there is one.
pub fn broker_urls() -> Vec<String> {
    let mut urls = vec!["memory:".to_owned()];
    urls.extend(amqp_url("this test over RabbitMQ"));
    urls
}

/// Runs the test over each broker.
pub async fn on_each_broker(test: impl AsyncFn(&Broker)) {
    for url in broker_urls() {
        eprintln!("over {url}");
        let broker = connect(config(&url)).await;
        test(&broker).await;
        broker.delete_topology().await.expect("a clean end");
        broker.close().await;
    }
}

/// A migrated database of its own, which goes when this does.
pub struct TestDatabase {
    pub database: Database,
    _home: Home,
}

enum Home {
    Folder { _folder: tempfile::TempDir },
    Server { _fresh: FreshDatabase },
}

/// Runs the test over SQLite, and over PostgreSQL if there is one.
pub async fn on_each_database(test: impl AsyncFn(&Database)) {
    eprintln!("over SQLite");
    let sqlite = sqlite().await;
    test(&sqlite.database).await;
    if let Some(admin_url) = given(environment::POSTGRES_URL, "this test over PostgreSQL") {
        eprintln!("over PostgreSQL");
        let postgres = postgres(&admin_url).await;
        test(&postgres.database).await;
        postgres.database.close().await.expect("a clean end");
    }
}

/// Runs the test over each broker with each database.
pub async fn on_each_backend(test: impl AsyncFn(&Database, &Broker)) {
    on_each_broker(async |broker| {
        on_each_database(async |database| test(database, broker).await).await;
    })
    .await;
}

pub async fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    migrated(&url, Home::Folder { _folder: folder }).await
}

async fn postgres(admin_url: &str) -> TestDatabase {
    let fresh = testkit::postgres::fresh_database(admin_url, "messaging")
        .await
        .expect("a fresh database");
    let url = fresh.url().to_owned();
    migrated(&url, Home::Server { _fresh: fresh }).await
}

async fn migrated(url: &str, home: Home) -> TestDatabase {
    let database = Database::connect(url, 8).await.expect("a connection");
    OrdersMigrator::up(database.writer(), None)
        .await
        .expect("the migrations apply");
    TestDatabase {
        database,
        _home: home,
    }
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::starting_now())
}

/// An event of the queue [`WORK`], available at once.
pub fn event(aggregate_id: Uuid, now: DateTime<Utc>) -> OutboxEvent {
    OutboxEvent {
        id: Uuid::now_v7(),
        aggregate_type: "order",
        aggregate_id,
        event_type: "test.work.v1".to_owned(),
        body: "{}".to_owned(),
        traceparent: None,
        available_at: now,
    }
}

/// Appends the events in a transaction and commits it.
pub async fn commit(database: &Database, clock: &impl Clock, events: Vec<OutboxEvent>) {
    let transaction = database.begin().await.expect("a transaction");
    messaging::outbox::append_all(&transaction, clock.now(), events)
        .await
        .expect("the events are appended");
    transaction.commit().await.expect("the commit");
}
