use kernel::Clock;
use messaging::{inbox, outbox};
use sea_orm::{EntityTrait, QueryOrder};
use uuid::Uuid;

use crate::{
    backends::{WORK, clock, commit, config, connect, event, next, on_each_database},
    relay,
};

#[tokio::test]
async fn many_events_are_appended_in_their_order() {
    on_each_database(async |database| {
        let clock = clock();
        let events: Vec<_> = (0..2_500)
            .map(|_| event(Uuid::now_v7(), clock.now()))
            .collect();
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        commit(database, &*clock, events).await;
        let rows = outbox::Entity::find()
            .order_by_asc(outbox::Column::Seq)
            .all(database.reader())
            .await
            .unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
        assert_eq!(rows[0].created_at, clock.now());
        commit(database, &*clock, Vec::new()).await;
    })
    .await;
}

/// The process ended after the relay had published to the in-process broker, which forgot.
#[tokio::test]
async fn after_a_crash_what_was_published_but_not_applied_is_published_again() {
    on_each_database(async |database| {
        let clock = clock();
        let forgetful = connect(config("memory:")).await;
        let (applied, lost) = (
            event(Uuid::now_v7(), clock.now()),
            event(Uuid::now_v7(), clock.now()),
        );
        commit(database, &*clock, vec![applied.clone(), lost.clone()]).await;
        let relay = relay::start(database, &forgetful, clock.clone());
        let mut deliveries = forgetful.consume(WORK, 10).unwrap();
        for _ in 0..2 {
            next(&mut deliveries).await.ack().await;
        }
        relay.stop().await;
        let receipt = inbox::record(database.writer(), WORK, applied.id, clock.now()).await;
        assert_eq!(receipt.unwrap(), inbox::Receipt::Fresh);

        let types = ["test.work.v1"];
        let requeued = outbox::requeue_unconsumed(database, WORK, &types)
            .await
            .unwrap();
        assert_eq!(requeued, 1);
        let restarted = connect(config("memory:")).await;
        let relay = relay::start(database, &restarted, clock.clone());
        let delivery = next(&mut restarted.consume(WORK, 10).unwrap()).await;
        assert_eq!(delivery.message.id, lost.id);
        delivery.ack().await;
        relay.stop().await;
    })
    .await;
}
