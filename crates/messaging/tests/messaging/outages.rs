//! A RabbitMQ of the test's own, which is killed, frozen and restarted.

use std::{collections::HashSet, process::Command, slice, time::Duration};

use kernel::Clock;
use messaging::{Broker, BrokerConfig, ConnectError, PublishError};
use testkit::services::RabbitMq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    backends::{
        self, QUEUES, WORK, amqp_url, clock, commit, config, event, in_time, message, next, publish,
    },
    rabbitmq::publish_until_confirmed,
    relay,
};

/// `None`, said loudly, when RabbitMQ is to be left out.
async fn private_rabbitmq(test: &str) -> Option<RabbitMq> {
    amqp_url(test)?;
    match RabbitMq::start().await {
        Ok(rabbitmq) => Some(rabbitmq),
        Err(error) => {
            eprintln!("LEFT OUT: {test}: {error}");
            None
        }
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let look = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    in_time(what, look).await;
}

fn signal(rabbitmq: &RabbitMq, signal: &str) {
    let node = rabbitmq.id().expect("it runs").to_string();
    let status = Command::new("kill").args([signal, &node]).status();
    assert!(status.expect("kill runs").success());
}

#[tokio::test]
async fn a_killed_broker_loses_nothing_that_was_confirmed_and_everything_resumes() {
    let Some(mut rabbitmq) = private_rabbitmq("a killed broker").await else {
        return;
    };
    let broker = backends::connect(config(&rabbitmq.url())).await;
    let mut deliveries = broker.consume(WORK, 10).unwrap();
    let broadcast = broker.broadcast("test.#");
    let mut epochs = broadcast.epochs();
    in_time("the subscription", epochs.wait_for(|epoch| *epoch == 1))
        .await
        .unwrap();
    let confirmed = message("test.work.v1");
    publish(&broker, slice::from_ref(&confirmed)).await;
    let in_hand = next(&mut deliveries).await;

    rabbitmq.kill();
    until("readiness to go", || !broker.is_ready()).await;
    let results = in_time("an answer", broker.publish(&[message("test.work.v1")])).await;
    assert!(
        matches!(&results[..], [Err(error)] if error.is_outage()),
        "{results:?}"
    );
    // This can't reach the broker, and must not hang or panic either.
    in_time("the settlement", in_hand.ack()).await;

    rabbitmq.restart().await.unwrap();
    until("readiness to return", || broker.is_ready()).await;
    let redelivered = next(&mut deliveries).await;
    assert_eq!(redelivered.message.id, confirmed.id);
    redelivered.ack().await;
    let after = message("test.work.v1");
    publish_until_confirmed(&broker, &after).await;
    let delivery = next(&mut deliveries).await;
    assert_eq!(delivery.message.id, after.id);
    delivery.ack().await;
    in_time(
        "the broadcast's return",
        epochs.wait_for(|epoch| *epoch > 1),
    )
    .await
    .unwrap();
    broker.close().await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_does_not_hang_publishers() {
    let Some(rabbitmq) = private_rabbitmq("a silent broker").await else {
        return;
    };
    let config = BrokerConfig {
        publish_timeout: Duration::from_millis(500),
        ..config(&rabbitmq.url())
    };
    let broker = backends::connect(config).await;
    publish(&broker, &[message("test.work.v1")]).await;
    signal(&rabbitmq, "-STOP");
    let batch: Vec<_> = (0..10).map(|_| message("test.work.v1")).collect();
    for result in in_time("an answer", broker.publish(&batch)).await {
        assert!(matches!(result, Err(PublishError::TimedOut)), "{result:?}");
    }
    assert!(
        !broker.is_ready(),
        "a connection without an answer is given up"
    );
    signal(&rabbitmq, "-CONT");
    publish_until_confirmed(&broker, &batch[0]).await;
    broker.close().await;
}

/// RabbitMQ reads nothing more from a connection that publishes while it is short of memory.
#[tokio::test]
async fn under_a_memory_alarm_publishing_is_blocked_and_acknowledging_goes_on() {
    let Some(rabbitmq) = private_rabbitmq("a memory alarm").await else {
        return;
    };
    let broker_config = BrokerConfig {
        publish_timeout: Duration::from_millis(500),
        ..config(&rabbitmq.url())
    };
    let broker = backends::connect(broker_config.clone()).await;
    let (first, second) = (message("test.work.v1"), message("test.work.v1"));
    publish(&broker, &[first.clone(), second.clone()]).await;
    let mut deliveries = broker.consume(WORK, 1).unwrap();
    let in_hand = next(&mut deliveries).await;

    let watermark = "set_vm_memory_high_watermark";
    rabbitmq.control(&[watermark, "0.000001"]).await.unwrap();
    let blocked = message("test.work.v1");
    let refused = async {
        loop {
            let results = broker.publish(slice::from_ref(&blocked)).await;
            match &results[..] {
                // It was told; what it publishes before that is not answered.
                [Err(PublishError::Blocked)] => return,
                [Err(error)] => assert!(error.is_outage(), "{error}"),
                results => panic!("{results:?}"),
            }
        }
    };
    in_time("the alarm", refused).await;
    // The next delivery comes only when the acknowledgement has arrived.
    assert_eq!(in_hand.message.id, first.id);
    in_hand.ack().await;
    let in_hand = next(&mut deliveries).await;
    assert_eq!(in_hand.message.id, second.id);
    in_hand.ack().await;

    rabbitmq.control(&[watermark, "0.6"]).await.unwrap();
    publish_until_confirmed(&broker, &message("test.work.v1")).await;
    next(&mut deliveries).await.ack().await;
    broker.close().await;
}

/// lapin's own recovery gives up after sixteen attempts.
#[tokio::test]
async fn it_reconnects_however_often_that_failed_and_is_not_ready_meanwhile() {
    let Some(mut rabbitmq) = private_rabbitmq("many failed reconnects").await else {
        return;
    };
    let broker = backends::connect(config(&rabbitmq.url())).await;
    let mut deliveries = broker.consume(WORK, 1).unwrap();
    rabbitmq.stop().await.unwrap();
    until("readiness to go", || !broker.is_ready()).await;

    // In its place somebody who hangs up on everyone: both connections fail, again and again.
    let stranger = TcpListener::bind(("127.0.0.1", rabbitmq.port())).await;
    let stranger = stranger.unwrap();
    let hang_up = async {
        for _ in 0..2 * 17 {
            drop(stranger.accept().await.unwrap());
            assert!(!broker.is_ready());
        }
    };
    let patience = Duration::from_secs(180);
    tokio::time::timeout(patience, hang_up).await.unwrap();
    drop(stranger);

    rabbitmq.restart().await.unwrap();
    until("readiness to return", || broker.is_ready()).await;
    let sent = message("test.work.v1");
    publish_until_confirmed(&broker, &sent).await;
    let delivery = next(&mut deliveries).await;
    assert_eq!(delivery.message.id, sent.id);
    delivery.ack().await;
    broker.close().await;
}

/// Frames that are not written wait in lapin's memory without a bound: ours is on those who publish.
#[tokio::test]
async fn so_many_publishes_are_on_their_way_at_a_time_and_no_more() {
    let Some(rabbitmq) = private_rabbitmq("bounded publishes").await else {
        return;
    };
    let config = BrokerConfig {
        publish_timeout: Duration::from_millis(500),
        ..config(&rabbitmq.url())
    };
    let broker = backends::connect(config).await;
    publish(&broker, &[message("test.work.v1")]).await;
    signal(&rabbitmq, "-STOP");
    let batches = (0..40).map(|_| async {
        let batch: Vec<_> = (0..500).map(|_| message("test.work.v1")).collect();
        broker.publish(&batch).await
    });
    let results = in_time("answers", futures_util::future::join_all(batches)).await;
    for result in results.iter().flatten() {
        assert!(
            matches!(result, Err(error) if error.is_outage()),
            "{result:?}"
        );
    }
    signal(&rabbitmq, "-CONT");
    let after = message("test.work.v1");
    publish_until_confirmed(&broker, &after).await;
    // Of 20,000 messages only those can have arrived that were within the bound: eight batches of
    // 128 at a time, and as many more on the connection after that.
    let mut arrived = HashSet::new();
    let mut deliveries = broker.consume(WORK, 100).unwrap();
    loop {
        let delivery = next(&mut deliveries).await;
        let id = delivery.message.id;
        delivery.ack().await;
        if id == after.id {
            break;
        }
        arrived.insert(id);
    }
    assert!(arrived.len() <= 2 * 8 * 128, "{}", arrived.len());
    broker.close().await;
}

#[tokio::test]
async fn the_relay_sits_out_an_outage() {
    let Some(mut rabbitmq) = private_rabbitmq("the relay in an outage").await else {
        return;
    };
    let home = backends::sqlite().await;
    let database = &home.database;
    let clock = clock();
    let broker = backends::connect(config(&rabbitmq.url())).await;
    let relay = relay::start(database, &broker, clock.clone());
    rabbitmq.kill();
    let aggregate = Uuid::now_v7();
    let events: Vec<_> = (0..20).map(|_| event(aggregate, clock.now())).collect();
    for event in &events {
        commit(database, &*clock, vec![event.clone()]).await;
        relay.waker.wake();
    }
    rabbitmq.restart().await.unwrap();
    let mut deliveries = broker.consume(WORK, 1).unwrap();
    let mut received = Vec::new();
    while received.len() < events.len() {
        let delivery = next(&mut deliveries).await;
        if !received.contains(&delivery.message.id) {
            received.push(delivery.message.id);
        }
        delivery.ack().await;
    }
    let written: Vec<_> = events.iter().map(|event| event.id).collect();
    assert_eq!(received, written);
    relay.stop().await;
    broker.close().await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_reported_at_the_start() {
    let port = testkit::ports::free_port().unwrap();
    let config = BrokerConfig {
        connect_timeout: Duration::from_millis(300),
        ..config(&format!("amqp://user:secret@127.0.0.1:{port}/%2f"))
    };
    let error = Broker::connect(config, QUEUES, CancellationToken::new())
        .await
        .err()
        .expect("nobody listens there");
    assert!(
        matches!(
            &error,
            ConnectError::Unreachable {
                source: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        format!("can't connect to the broker at 127.0.0.1:{port}")
    );
}
