//! What was set aside stays there, and comes back when a person says so.

use std::slice;

use database::Database;
use kernel::Clock;
use messaging::{Broker, outbox, outbox::OutboxEvent};
use uuid::Uuid;

use crate::{
    backends::{
        WORK, clock, commit, config, connect, event, message, on_each_backend, on_each_database,
        publish,
    },
    consumer::{Outcome, Running, dead_letter, until_put_off},
    relay::until_unpublished,
};

/// The broker of a process that has just started.
async fn in_process(database: &Database) -> Broker {
    let broker = connect(config("memory:")).await;
    broker.keep_dead_letters(WORK, database).unwrap();
    broker
}

async fn requeue(database: &Database) -> u64 {
    let requeued = outbox::requeue_unconsumed(database, WORK, &["test.work.v1"]);
    requeued.await.unwrap()
}

async fn append(database: &Database) -> OutboxEvent {
    let clock = clock();
    let event = event(Uuid::now_v7(), clock.now());
    commit(database, &*clock, vec![event.clone()]).await;
    event
}

#[tokio::test]
async fn the_dead_letters_of_the_in_process_broker_survive_it() {
    on_each_database(async |database| {
        let poison = append(database).await;
        let broker = in_process(database).await;
        let running = Running::start(database, &broker, [(poison.id, vec![Outcome::Permanent])]);
        let letter = dead_letter(&broker, poison.id).await;
        until_unpublished(database, 0).await;
        running.stop().await;
        broker.close().await;

        // The next start brings back what was not applied, and leaves this where it is.
        assert_eq!(requeue(database).await, 0);
        let broker = in_process(database).await;
        assert_eq!(broker.dead_letters(WORK, 10).await.unwrap(), [letter]);
        let replayed = broker
            .replay_dead_letters(WORK, Some(poison.id), clock().now())
            .await;
        assert_eq!(replayed.unwrap(), [poison.id]);
        assert!(broker.dead_letters(WORK, 10).await.unwrap().is_empty());
        let mut running = Running::start(database, &broker, []);
        assert_eq!(running.next().await, (poison.id, 1));
        until_unpublished(database, 0).await;
        running.stop().await;
        broker.close().await;

        // Sent again and not applied, for no handler here leaves a receipt: it comes back, once.
        assert_eq!(requeue(database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_put_off_is_not_brought_back_before_its_time() {
    on_each_database(async |database| {
        let failing = append(database).await;
        let broker = in_process(database).await;
        let script = [(failing.id, vec![Outcome::Transient; 2])];
        let running = Running::start(database, &broker, script);
        until_put_off(database, 2).await;
        until_unpublished(database, 1).await;
        running.stop().await;
        broker.close().await;

        assert_eq!(requeue(database).await, 0);
        let broker = in_process(database).await;
        let mut running = Running::start(database, &broker, []);
        assert_eq!(running.next_after(database, 2).await, (failing.id, 3));
        running.stop().await;
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn one_message_is_sent_again_and_the_others_stay() {
    on_each_backend(async |database, broker| {
        let now = clock().now();
        let batch: Vec<_> = (0..3).map(|_| message("test.work.v1")).collect();
        let script = batch.iter().map(|sent| (sent.id, vec![Outcome::Permanent]));
        let running = Running::start(database, broker, script);
        for sent in &batch {
            publish(broker, slice::from_ref(sent)).await;
            dead_letter(broker, sent.id).await;
        }
        running.stop().await;

        let chosen = batch[1].id;
        let letter = broker.dead_letter(WORK, chosen).await.unwrap().unwrap();
        assert_eq!(letter.message.body, batch[1].body);
        assert!(
            broker
                .dead_letter(WORK, Uuid::nil())
                .await
                .unwrap()
                .is_none()
        );
        let replay = async |id| broker.replay_dead_letters(WORK, id, now).await.unwrap();
        assert!(replay(Some(Uuid::nil())).await.is_empty());
        assert_eq!(replay(Some(chosen)).await, [chosen]);
        let mut running = Running::start(database, broker, []);
        assert_eq!(running.next().await, (chosen, 1));
        assert!(broker.dead_letter(WORK, chosen).await.unwrap().is_none());
        let mut rest = replay(None).await;
        rest.sort_unstable();
        let mut expected = [batch[0].id, batch[2].id];
        expected.sort_unstable();
        assert_eq!(rest, expected);
        for _ in 0..2 {
            running.next().await;
        }
        running.stop().await;
        assert!(broker.dead_letters(WORK, 10).await.unwrap().is_empty());
    })
    .await;
}
