//! `plumbline dead-letters`, beside a process that runs and over RabbitMQ.

use chrono::DateTime;
use database::Database;
use futures_util::StreamExt;
use messaging::{
    Broker, BrokerConfig, Message,
    outbox::{self, OutboxEvent},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{Server, Settings, eventually, own_secrets, run, services, setting};

const QUEUE: &str = "orders.saga";
const EVENT: &str = "orders.order.placed.v1";
const NO_EVENT: &str = r#"{"no":"event"}"#;

async fn listed(settings: &Settings) -> Vec<Value> {
    let list = run(&["dead-letters", "list", "--json"], settings).await;
    let lines = list.expect_code(0).stdout;
    let lines = lines.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

async fn replay(settings: &Settings, arguments: &[&str], expected: &str) {
    let arguments = [&["dead-letters", "replay"], arguments].concat();
    let replayed = run(&arguments, settings).await.expect_code(0).stdout;
    assert!(replayed.contains(expected), "{replayed}");
}

/// Looks at a letter, and does everything that leaves it where it is.
async fn look(settings: &Settings, id: Uuid) {
    let text = id.to_string();
    let letters = listed(settings).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["id"], text.as_str());
    assert_eq!(
        (&letters[0]["queue"], &letters[0]["attempts"]),
        (&QUEUE.into(), &1.into())
    );
    let shown = run(&["dead-letters", "show", &text], settings).await;
    let shown = shown.expect_code(0).stdout;
    assert!(
        shown.contains(NO_EVENT) && shown.contains("reason"),
        "{shown}"
    );
    replay(
        settings,
        &[&text, "--dry-run"],
        "1 messages would be sent again",
    )
    .await;
    let unknown = Uuid::nil().to_string();
    for command in ["show", "replay"] {
        run(&["dead-letters", command, &unknown], settings)
            .await
            .expect_code(1);
    }
    assert_eq!(listed(settings).await, letters);
}

#[tokio::test]
async fn a_dead_letter_outlives_the_process_and_is_sent_again_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server.start("/health/ready").await;
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    let database = Database::connect(&url, 1).await.unwrap();
    let id = Uuid::now_v7();
    let poison = OutboxEvent {
        id,
        aggregate_type: "order",
        aggregate_id: Uuid::now_v7(),
        event_type: EVENT.to_owned(),
        body: NO_EVENT.to_owned(),
        traceparent: None,
        available_at: DateTime::UNIX_EPOCH,
    };
    outbox::append(database.writer(), DateTime::UNIX_EPOCH, poison)
        .await
        .unwrap();
    let set_aside = async || listed(&settings).await.len() == 1;
    eventually("the message is set aside", &set_aside).await;
    server.stop().await;
    look(&settings, id).await;

    server.start("/health/ready").await;
    look(&settings, id).await;
    replay(
        &settings,
        &["--all", "--queue", QUEUE],
        "1 messages sent again",
    )
    .await;
    // It is no better than before.
    eventually("the message is set aside again", &set_aside).await;
    look(&settings, id).await;
    database.close().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn over_rabbitmq_a_message_goes_back_to_its_own_queue() {
    let Some(services) = services("over_rabbitmq_a_message_goes_back") else {
        return;
    };
    let namespace = format!("test-{}", Uuid::new_v4().simple());
    let mut settings = own_secrets();
    settings.push(setting("broker.url", &services.amqp));
    settings.push(setting("broker.namespace", &namespace));
    let mut queues = auth::queues();
    queues.extend([order_worker::QUEUE, order_worker::MAIL_QUEUE]);
    let config = BrokerConfig::new(&services.amqp, &namespace);
    let broker = Broker::connect(config, &queues, CancellationToken::new())
        .await
        .unwrap();
    let message = Message {
        id: Uuid::now_v7(),
        event_type: EVENT.to_owned(),
        aggregate_id: Uuid::now_v7(),
        body: NO_EVENT.into(),
        traceparent: None,
    };
    for result in broker.publish(std::slice::from_ref(&message)).await {
        result.unwrap();
    }
    let mut deliveries = broker.consume(QUEUE, 1).unwrap();
    let delivery = deliveries.next().await.unwrap();
    delivery.dead_letter("a test").await;
    look(&settings, message.id).await;
    let id = message.id.to_string();
    replay(&settings, &[&id], "1 messages sent again").await;
    let delivery = deliveries.next().await.unwrap();
    assert_eq!((&delivery.message, delivery.attempt), (&message, 1));
    delivery.ack().await;
    assert!(listed(&settings).await.is_empty());
    broker.delete_topology().await.unwrap();
    broker.close().await;
}
