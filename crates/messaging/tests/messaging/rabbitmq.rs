//! What only RabbitMQ can do to us, on a broker that stays up.

use std::{collections::HashSet, slice, sync::Arc};

use kernel::{Clock, SystemClock};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ExchangeDeleteOptions, QueueDeleteOptions},
};
use messaging::{Broker, Message};
use uuid::Uuid;

use crate::{
    backends::{
        AUDIT, WORK, amqp_url, commit, config, connect, event, in_time, message, next, publish,
        sqlite,
    },
    relay,
};

/// A connection of somebody else's to the same broker.
async fn stranger(url: &str) -> (Connection, Channel) {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// Publishes as the relay does: again until it is confirmed.
pub async fn publish_until_confirmed(broker: &Broker, message: &Message) {
    let publishing = async {
        while broker.publish(slice::from_ref(message)).await[0].is_err() {
            broker.wait_until_publishable().await;
        }
    };
    in_time("a confirm", publishing).await;
}

#[tokio::test]
async fn a_deleted_queue_is_declared_again_and_consumed() {
    let Some(url) = amqp_url("a deleted queue") else {
        return;
    };
    let config = config(&url);
    let queue = format!("{}.{WORK}", config.namespace);
    let broker = connect(config).await;
    let home = sqlite().await;
    let relay = relay::start(&home.database, &broker, Arc::new(SystemClock));
    let mut deliveries = broker.consume(WORK, 10).unwrap();
    let (_connection, channel) = stranger(&url).await;
    for _ in 0..3 {
        let options = QueueDeleteOptions::default();
        channel
            .queue_delete(queue.as_str().into(), options)
            .await
            .unwrap();
        let events: Vec<_> = (0..3)
            .map(|_| event(Uuid::now_v7(), SystemClock.now()))
            .collect();
        commit(&home.database, &SystemClock, events.clone()).await;
        relay.waker.wake();
        let mut missing: HashSet<_> = events.iter().map(|event| event.id).collect();
        while !missing.is_empty() {
            let delivery = next(&mut deliveries).await;
            missing.remove(&delivery.message.id);
            delivery.ack().await;
        }
    }
    relay.stop().await;
    broker.delete_topology().await.unwrap();
    broker.close().await;
}

#[tokio::test]
async fn a_deleted_queue_that_nobody_consumes_is_declared_again_too() {
    let Some(url) = amqp_url("a deleted queue without consumers") else {
        return;
    };
    let config = config(&url);
    let queue = format!("{}.{WORK}", config.namespace);
    let broker = connect(config).await;
    let home = sqlite().await;
    let relay = relay::start(&home.database, &broker, Arc::new(SystemClock));
    let (_connection, channel) = stranger(&url).await;
    let options = QueueDeleteOptions::default();
    channel.queue_delete(queue.into(), options).await.unwrap();
    let sent = event(Uuid::now_v7(), SystemClock.now());
    commit(&home.database, &SystemClock, vec![sent.clone()]).await;
    relay::until_unpublished(&home.database, 0).await;
    let delivery = next(&mut broker.consume(WORK, 1).unwrap()).await;
    assert_eq!(delivery.message.id, sent.id);
    delivery.ack().await;
    relay.stop().await;
    broker.delete_topology().await.unwrap();
    broker.close().await;
}

/// Publishing to an exchange that is gone is a channel error, which ends the channel.
#[tokio::test]
async fn a_deleted_exchange_fails_the_publish_and_is_declared_again() {
    let Some(url) = amqp_url("a deleted exchange") else {
        return;
    };
    let config = config(&url);
    let exchange = format!("{}.events", config.namespace);
    let broker = connect(config).await;
    let mut deliveries = broker.consume(WORK, 10).unwrap();
    let (_connection, channel) = stranger(&url).await;
    let options = ExchangeDeleteOptions::default();
    channel
        .exchange_delete(exchange.into(), options)
        .await
        .unwrap();

    let results = in_time("an answer", broker.publish(&[message("test.work.v1")])).await;
    assert!(
        matches!(&results[..], [Err(error)] if error.is_outage()),
        "{results:?}"
    );
    let sent = message("test.work.v1");
    publish_until_confirmed(&broker, &sent).await;
    let delivery = next(&mut deliveries).await;
    assert_eq!(delivery.message.id, sent.id);
    delivery.ack().await;
    broker.delete_topology().await.unwrap();
    broker.close().await;
}

#[tokio::test]
async fn a_message_that_is_not_ours_goes_to_the_dead_letters() {
    let Some(url) = amqp_url("a foreign message") else {
        return;
    };
    let config = config(&url);
    let exchange = format!("{}.events", config.namespace);
    let broker = connect(config).await;
    let (_connection, channel) = stranger(&url).await;
    channel
        .basic_publish(
            exchange.into(),
            "test.work.v1".into(),
            BasicPublishOptions::default(),
            b"\xff not even text",
            BasicProperties::default(),
        )
        .await
        .unwrap();
    let ours = message("test.work.v1");
    publish(&broker, slice::from_ref(&ours)).await;
    let mut deliveries = broker.consume(WORK, 1).unwrap();
    let delivery = next(&mut deliveries).await;
    assert_eq!(delivery.message.id, ours.id);
    delivery.ack().await;
    let letters = broker.dead_letters(WORK, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(&letters[0].message.body[..], b"\xff not even text");
    assert_eq!(letters[0].reason, "message_id is not a UUID");
    broker.delete_topology().await.unwrap();
    broker.close().await;
}

#[tokio::test]
async fn namespaces_do_not_see_each_other() {
    let Some(url) = amqp_url("namespaces") else {
        return;
    };
    let (one, other) = (connect(config(&url)).await, connect(config(&url)).await);
    let (for_one, for_other) = (message("test.work.v1"), message("test.work.v1"));
    publish(&one, slice::from_ref(&for_one)).await;
    publish(&other, slice::from_ref(&for_other)).await;
    for (broker, sent) in [(&one, for_one), (&other, for_other)] {
        let delivery = next(&mut broker.consume(WORK, 10).unwrap()).await;
        assert_eq!(delivery.message, sent);
        delivery.ack().await;
        broker.delete_topology().await.unwrap();
        broker.close().await;
    }
}

/// lapin takes the whole connection down for a consumer and a channel that are dropped together.
#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_come_and_go_leave_the_others_alone() {
    let Some(url) = amqp_url("consumers that come and go") else {
        return;
    };
    let broker = connect(config(&url)).await;
    publish(&broker, &[message("test.work.v1")]).await;
    let mut deliveries = broker.consume(WORK, 1).unwrap();
    let in_hand = next(&mut deliveries).await;
    for _ in 0..30 {
        publish(&broker, &[message("test.audit.v1")]).await;
        let mut others = broker.consume(AUDIT, 10).unwrap();
        next(&mut others).await.ack().await;
    }
    in_hand.ack().await;
    let sent = message("test.work.v1");
    publish(&broker, slice::from_ref(&sent)).await;
    // On a new connection the first message would have come again.
    let delivery = next(&mut deliveries).await;
    assert_eq!((delivery.message.id, delivery.attempt), (sent.id, 1));
    delivery.ack().await;
    broker.delete_topology().await.unwrap();
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_closing_does_not_come_back() {
    let Some(url) = amqp_url("closing") else {
        return;
    };
    let config = config(&url);
    let broker = connect(config.clone()).await;
    let batch: Vec<_> = (0..50).map(|_| message("test.work.v1")).collect();
    publish(&broker, &batch).await;
    let mut deliveries = broker.consume(WORK, 10).unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..30 {
        let delivery = next(&mut deliveries).await;
        acknowledged.push(delivery.message.id);
        delivery.ack().await;
    }
    drop(deliveries);
    in_time("the end", broker.close()).await;

    let broker = connect(config).await;
    let mut deliveries = broker.consume(WORK, 20).unwrap();
    for _ in 0..20 {
        let delivery = next(&mut deliveries).await;
        assert!(!acknowledged.contains(&delivery.message.id));
        delivery.ack().await;
    }
    broker.delete_topology().await.unwrap();
    broker.close().await;
}
