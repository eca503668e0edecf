use std::slice;

use futures_util::StreamExt;
use messaging::{Broadcast, Broker, Message};

use crate::backends::{in_time, message, on_each_broker, publish};

async fn subscribe(broker: &Broker, pattern: &str) -> Broadcast {
    let broadcast = broker.broadcast(pattern);
    let mut epochs = broadcast.epochs();
    in_time("the subscription", epochs.wait_for(|epoch| *epoch == 1))
        .await
        .unwrap();
    broadcast
}

async fn next(broadcast: &mut Broadcast) -> Message {
    in_time("a message", broadcast.next()).await.unwrap()
}

#[tokio::test]
async fn every_subscriber_gets_every_message_of_its_pattern() {
    on_each_broker(async |broker| {
        let mut all = subscribe(broker, "test.#").await;
        let mut audit = subscribe(broker, "test.audit.#").await;
        let (first, second) = (message("test.work.v1"), message("test.audit.v1"));
        publish(broker, slice::from_ref(&first)).await;
        publish(broker, slice::from_ref(&second)).await;
        assert_eq!(next(&mut all).await, first);
        assert_eq!(next(&mut all).await, second);
        assert_eq!(next(&mut audit).await, second);
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_is_enough_for_a_message_to_be_routable() {
    on_each_broker(async |broker| {
        let mut broadcast = subscribe(broker, "only.subscribers.#").await;
        let sent = message("only.subscribers.v1");
        publish(broker, slice::from_ref(&sent)).await;
        assert_eq!(next(&mut broadcast).await, sent);
    })
    .await;
}

#[tokio::test]
async fn a_slow_subscriber_is_told_that_it_missed_messages() {
    on_each_broker(async |broker| {
        let mut slow = subscribe(broker, "test.audit.#").await;
        let mut quick = subscribe(broker, "test.audit.#").await;
        for _ in 0..50 {
            let batch: Vec<_> = (0..100).map(|_| message("test.audit.v1")).collect();
            publish(broker, &batch).await;
            for _ in 0..100 {
                next(&mut quick).await;
            }
        }
        let epochs = slow.epochs();
        while *epochs.borrow() == 1 {
            next(&mut slow).await;
        }
        assert_eq!(*epochs.borrow(), 2);
    })
    .await;
}
