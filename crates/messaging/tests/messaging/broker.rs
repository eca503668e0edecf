//! What both brokers promise.

use std::slice;

use futures_util::StreamExt;
use messaging::{Broker, BrokerConfig, ConnectError, DeadLetter, PublishError};
use tokio_util::sync::CancellationToken;

use crate::backends::{
    AUDIT, QUEUES, WORK, broker_urls, config, connect, in_time, message, next, on_each_broker,
    publish,
};

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    on_each_broker(async |broker| {
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        let sent = message("test.work.v1");
        publish(broker, slice::from_ref(&sent)).await;
        let delivery = next(&mut deliveries).await;
        assert_eq!((&delivery.message, delivery.attempt), (&sent, 1));
        delivery.ack().await;
    })
    .await;
}

#[tokio::test]
async fn every_bound_queue_gets_the_message_and_others_do_not() {
    on_each_broker(async |broker| {
        let (both, audit) = (message("test.both.v1"), message("test.audit.a.b.v1"));
        publish(broker, slice::from_ref(&both)).await;
        publish(broker, slice::from_ref(&audit)).await;
        let mut deliveries = broker.consume(AUDIT, 10).unwrap();
        for expected in [&both, &audit] {
            let delivery = next(&mut deliveries).await;
            assert_eq!(&delivery.message, expected);
            delivery.ack().await;
        }
        let delivery = next(&mut broker.consume("both", 10).unwrap()).await;
        assert_eq!(delivery.message, both);
        delivery.ack().await;
    })
    .await;
}

#[tokio::test]
async fn an_acknowledged_message_does_not_come_back() {
    on_each_broker(async |broker| {
        let (first, second) = (message("test.work.v1"), message("test.work.v1"));
        publish(broker, slice::from_ref(&first)).await;
        let mut deliveries = broker.consume(WORK, 1).unwrap();
        next(&mut deliveries).await.ack().await;
        drop(deliveries);
        publish(broker, slice::from_ref(&second)).await;
        let delivery = next(&mut broker.consume(WORK, 1).unwrap()).await;
        assert_eq!(delivery.message.id, second.id);
        delivery.ack().await;
    })
    .await;
}

#[tokio::test]
async fn retries_are_counted_and_the_limit_ends_in_the_dead_letter_queue() {
    on_each_broker(async |broker| {
        let sent = message("test.work.v1");
        publish(broker, slice::from_ref(&sent)).await;
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        for attempt in 1..=3 {
            let delivery = next(&mut deliveries).await;
            assert_eq!((delivery.message.id, delivery.attempt), (sent.id, attempt));
            delivery.retry().await;
        }
        let expected = DeadLetter {
            message: sent,
            reason: "delivery_limit".to_owned(),
            attempt: 3,
        };
        assert_eq!(dead_letter(broker).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_delivery_is_a_failed_one() {
    on_each_broker(async |broker| {
        publish(broker, &[message("test.work.v1")]).await;
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        drop(next(&mut deliveries).await);
        let delivery = next(&mut deliveries).await;
        assert_eq!(delivery.attempt, 2);
        delivery.ack().await;
    })
    .await;
}

#[tokio::test]
async fn a_panicking_handler_does_not_lose_the_message() {
    on_each_broker(async |broker| {
        publish(broker, &[message("test.work.v1")]).await;
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        let delivery = next(&mut deliveries).await;
        let handler = tokio::spawn(async move {
            let _in_hand = delivery;
            panic!("a bug in a handler");
        });
        assert!(handler.await.unwrap_err().is_panic());
        let delivery = next(&mut deliveries).await;
        assert_eq!(delivery.attempt, 2);
        delivery.ack().await;
    })
    .await;
}

#[tokio::test]
async fn a_dead_letter_keeps_the_message_and_says_why() {
    on_each_broker(async |broker| {
        let sent = message("test.work.v1");
        publish(broker, slice::from_ref(&sent)).await;
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        next(&mut deliveries).await.retry().await;
        next(&mut deliveries)
            .await
            .dead_letter("undecodable: no data")
            .await;
        let expected = DeadLetter {
            message: sent,
            reason: "undecodable: no data".to_owned(),
            attempt: 2,
        };
        assert_eq!(dead_letter(broker).await, expected);
        // Looking does not take it away.
        assert_eq!(dead_letter(broker).await, expected);
    })
    .await;
}

#[tokio::test]
async fn no_more_than_the_prefetch_is_in_hand() {
    on_each_broker(async |broker| {
        let (mut one, mut other) = (
            broker.consume(WORK, 1).unwrap(),
            broker.consume(WORK, 1).unwrap(),
        );
        publish(broker, &[message("test.work.v1"), message("test.work.v1")]).await;
        // Had the first more than one in hand, nothing would be left for the other.
        let first = next(&mut one).await;
        let second = next(&mut other).await;
        assert_ne!(first.message.id, second.message.id);
        first.ack().await;
        second.ack().await;
    })
    .await;
}

#[tokio::test]
async fn news_that_no_queue_takes_goes_to_those_who_listen_perhaps_to_nobody() {
    for url in broker_urls() {
        let config = BrokerConfig {
            news: vec!["test.#".to_owned()],
            ..config(&url)
        };
        let broker = connect(config).await;
        let news = message("test.news.v1");
        publish(&broker, slice::from_ref(&news)).await;
        let mut listening = broker.broadcast("test.news.*");
        let mut epochs = listening.epochs();
        let stands = epochs.wait_for(|epoch| *epoch > 0);
        in_time("the subscription", stands).await.unwrap();
        publish(&broker, slice::from_ref(&news)).await;
        let heard = in_time("the news", listening.next()).await;
        assert_eq!(heard.unwrap().id, news.id);
        // What is no news still has to go somewhere.
        let other = broker.publish(&[message("nobody.wants.this")]).await;
        assert!(matches!(other[..], [Err(PublishError::Unroutable)]));
        broker.delete_topology().await.unwrap();
        broker.close().await;
    }
}

#[tokio::test]
async fn a_message_that_fits_no_queue_is_refused_and_no_other() {
    on_each_broker(async |broker| {
        let types = ["test.work.v1", "nobody.wants.this"];
        let batch: Vec<_> = types
            .iter()
            .cycle()
            .take(60)
            .map(|name| message(name))
            .collect();
        for (message, result) in batch.iter().zip(broker.publish(&batch).await) {
            match result {
                Ok(()) => assert_eq!(message.event_type, "test.work.v1"),
                Err(PublishError::Unroutable) => {
                    assert_eq!(message.event_type, "nobody.wants.this");
                }
                Err(error) => panic!("{error}"),
            }
        }
        let mut deliveries = broker.consume(WORK, 50).unwrap();
        for _ in 0..30 {
            next(&mut deliveries).await.ack().await;
        }
    })
    .await;
}

#[tokio::test]
async fn many_batches_at_once_are_all_confirmed() {
    on_each_broker(async |broker| {
        let batches = (0..20).map(|_| async {
            let batch: Vec<_> = (0..150).map(|_| message("test.work.v1")).collect();
            publish(broker, &batch).await;
        });
        futures_util::future::join_all(batches).await;
        let mut deliveries = broker.consume(WORK, 200).unwrap();
        for _ in 0..3_000 {
            next(&mut deliveries).await.ack().await;
        }
    })
    .await;
}

#[tokio::test]
async fn deliveries_in_hand_can_be_settled_after_consuming_stopped() {
    on_each_broker(async |broker| {
        let (first, second) = (message("test.work.v1"), message("test.work.v1"));
        publish(broker, slice::from_ref(&first)).await;
        let mut deliveries = broker.consume(WORK, 1).unwrap();
        let in_hand = next(&mut deliveries).await;
        drop(deliveries);
        in_hand.ack().await;
        publish(broker, slice::from_ref(&second)).await;
        let delivery = next(&mut broker.consume(WORK, 1).unwrap()).await;
        assert_eq!(delivery.message.id, second.id);
        delivery.ack().await;
    })
    .await;
}

#[tokio::test]
async fn closing_ends_the_streams_and_publishing() {
    for url in broker_urls() {
        let broker = connect(config(&url)).await;
        assert!(broker.is_ready());
        let mut deliveries = broker.consume(WORK, 1).unwrap();
        let mut broadcast = broker.broadcast("#");
        broker.delete_topology().await.unwrap();
        broker.close().await;
        assert!(!broker.is_ready());
        assert!(in_time("the end", deliveries.next()).await.is_none());
        assert!(in_time("the end", broadcast.next()).await.is_none());
        let results = broker.publish(&[message("test.work.v1")]).await;
        assert!(matches!(results[..], [Err(PublishError::NotConnected)]));
    }
}

#[tokio::test]
async fn an_unknown_queue_is_an_error() {
    on_each_broker(async |broker| {
        assert!(broker.consume("orders.sagga", 1).is_err());
        assert!(broker.dead_letters("orders.sagga", 1).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_makes_publishers_wait() {
    let config = BrokerConfig {
        publish_timeout: std::time::Duration::from_millis(50),
        ..config("memory:")
    };
    let broker = connect(config).await;
    let batch: Vec<_> = (0..10_000).map(|_| message("test.work.v1")).collect();
    publish(&broker, &batch).await;
    let one_more = [message("test.work.v1")];
    let results = broker.publish(&one_more).await;
    assert!(matches!(results[..], [Err(PublishError::TimedOut)]));
    next(&mut broker.consume(WORK, 1).unwrap())
        .await
        .ack()
        .await;
    publish(&broker, &one_more).await;
}

#[tokio::test]
async fn a_url_that_is_not_a_brokers_is_refused() {
    for (url, expected) in [("redis://localhost", "redis"), ("", "")] {
        let connected = Broker::connect(config(url), QUEUES, CancellationToken::new()).await;
        match connected {
            Err(ConnectError::UnknownScheme(scheme)) => assert_eq!(scheme, expected),
            _ => panic!("{url} was taken"),
        }
    }
    let connected = Broker::connect(config("amqp://[::"), QUEUES, CancellationToken::new()).await;
    assert!(matches!(connected, Err(ConnectError::InvalidUrl(_))));
}

async fn dead_letter(broker: &Broker) -> DeadLetter {
    let look = async {
        loop {
            // RabbitMQ moves a message to the dead-letter queue in its own time.
            match broker.dead_letters(WORK, 10).await.unwrap().pop() {
                Some(letter) => return letter,
                None => tokio::task::yield_now().await,
            }
        }
    };
    in_time("a dead letter", look).await
}
