use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;
use database::Database;
use kernel::{Clock, SharedClock};
use messaging::{Broker, Relay, RelayConfig, RelayWaker, outbox, outbox::OutboxEvent};
use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*, sea_query::Expr};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::backends::{
    WORK, clock, commit, config, connect, event, in_time, next, on_each_backend, on_each_database,
};

/// A relay in the background.
pub struct Running {
    pub waker: RelayWaker,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

pub fn start(database: &Database, broker: &Broker, clock: SharedClock) -> Running {
    start_with(database, broker, clock, RelayConfig::default())
}

pub fn start_with(
    database: &Database,
    broker: &Broker,
    clock: SharedClock,
    config: RelayConfig,
) -> Running {
    let (waker, cancel) = (RelayWaker::default(), CancellationToken::new());
    let relay = Relay::new(
        database.clone(),
        broker.clone(),
        clock,
        config,
        waker.clone(),
    );
    let token = cancel.clone();
    let task = tokio::spawn(async move { relay.run(token).await });
    Running {
        waker,
        cancel,
        task,
    }
}

impl Running {
    pub async fn stop(self) {
        self.cancel.cancel();
        in_time("the relay's end", self.task).await.unwrap();
    }
}

/// Waits until the outbox has as many unpublished rows as that.
pub async fn until_unpublished(database: &Database, expected: u64) {
    let look = async {
        let unpublished = outbox::Entity::find().filter(outbox::Column::PublishedAt.is_null());
        while unpublished.clone().count(database.reader()).await.unwrap() != expected {
            tokio::task::yield_now().await;
        }
    };
    in_time("the outbox", look).await;
}

async fn row(database: &Database, id: Uuid) -> outbox::Model {
    let row = outbox::Entity::find().filter(outbox::Column::Id.eq(id));
    row.one(database.reader()).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_was_committed_is_published_whole_and_what_was_rolled_back_is_not() {
    on_each_backend(async |database, broker| {
        let clock = clock();
        let transaction = database.begin().await.unwrap();
        let lost = event(Uuid::now_v7(), clock.now());
        outbox::append(&transaction, clock.now(), lost)
            .await
            .unwrap();
        transaction.rollback().await.unwrap();
        let kept = OutboxEvent {
            body: r#"{"specversion":"1.0","data":"ü"}"#.to_owned(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            ..event(Uuid::now_v7(), clock.now())
        };
        commit(database, &*clock, vec![kept.clone()]).await;
        let relay = start(database, broker, clock.clone());
        let delivery = next(&mut broker.consume(WORK, 10).unwrap()).await;
        let message = &delivery.message;
        assert_eq!(
            (message.id, message.aggregate_id),
            (kept.id, kept.aggregate_id)
        );
        assert_eq!(message.event_type, kept.event_type);
        // The span that publishes may come in between; the trace is the same.
        let trace = |traceparent: &Option<String>| traceparent.as_ref().unwrap()[..35].to_owned();
        assert_eq!(trace(&message.traceparent), trace(&kept.traceparent));
        assert_eq!(message.body, kept.body.as_bytes());
        delivery.ack().await;
        until_unpublished(database, 0).await;
        relay.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_wake_up_publishes_at_once() {
    on_each_backend(async |database, broker| {
        let clock = clock();
        let config = RelayConfig {
            poll: Duration::from_secs(3_600),
            ..RelayConfig::default()
        };
        let relay = start_with(database, broker, clock.clone(), config);
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        for _ in 0..5 {
            commit(database, &*clock, vec![event(Uuid::now_v7(), clock.now())]).await;
            relay.waker.wake();
            next(&mut deliveries).await.ack().await;
        }
        relay.stop().await;
    })
    .await;
}

#[tokio::test]
async fn three_relays_keep_the_order_of_each_aggregate_and_lose_nothing() {
    const AGGREGATES: usize = 20;
    const EVENTS: usize = 10;
    on_each_backend(async |database, broker| {
        let clock = clock();
        let aggregates: Vec<_> = (0..AGGREGATES).map(|_| Uuid::now_v7()).collect();
        let relays: Vec<_> = (0..3)
            .map(|_| start(database, broker, clock.clone()))
            .collect();
        let mut written: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for _ in 0..EVENTS {
            let events: Vec<_> = aggregates
                .iter()
                .map(|id| event(*id, clock.now()))
                .collect();
            for event in &events {
                written
                    .entry(event.aggregate_id)
                    .or_default()
                    .push(event.id);
            }
            commit(database, &*clock, events).await;
        }
        let mut deliveries = broker.consume(WORK, 1).unwrap();
        let mut received: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        while received.values().map(Vec::len).sum::<usize>() < AGGREGATES * EVENTS {
            let delivery = next(&mut deliveries).await;
            let message = &delivery.message;
            let seen = received.entry(message.aggregate_id).or_default();
            if !seen.contains(&message.id) {
                seen.push(message.id);
            }
            delivery.ack().await;
        }
        assert_eq!(received, written);
        for relay in relays {
            relay.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_delayed_event_waits_for_its_time_and_holds_up_nothing() {
    on_each_backend(async |database, broker| {
        let clock = clock();
        let aggregate = Uuid::now_v7();
        let later = OutboxEvent {
            available_at: clock.now() + TimeDelta::seconds(30),
            ..event(aggregate, clock.now())
        };
        let now = event(aggregate, clock.now());
        commit(database, &*clock, vec![later.clone(), now.clone()]).await;
        let relay = start(database, broker, clock.clone());
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        let delivery = next(&mut deliveries).await;
        assert_eq!(delivery.message.id, now.id);
        delivery.ack().await;
        clock.advance(TimeDelta::seconds(31));
        let delivery = next(&mut deliveries).await;
        assert_eq!(delivery.message.id, later.id);
        delivery.ack().await;
        relay.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_dead_relay_had_taken_is_published_when_its_lease_ends() {
    on_each_backend(async |database, broker| {
        let clock = clock();
        let aggregate = Uuid::now_v7();
        let (taken, behind) = (event(aggregate, clock.now()), event(aggregate, clock.now()));
        let free = event(Uuid::now_v7(), clock.now());
        commit(
            database,
            &*clock,
            vec![taken.clone(), behind.clone(), free.clone()],
        )
        .await;
        outbox::Entity::update_many()
            .col_expr(
                outbox::Column::LockedUntil,
                Expr::value(clock.now() + TimeDelta::seconds(30)),
            )
            .filter(outbox::Column::Id.eq(taken.id))
            .exec(database.writer())
            .await
            .unwrap();
        let relay = start(database, broker, clock.clone());
        let mut deliveries = broker.consume(WORK, 10).unwrap();
        let delivery = next(&mut deliveries).await;
        assert_eq!(
            delivery.message.id, free.id,
            "the others wait for the lease"
        );
        delivery.ack().await;
        clock.advance(TimeDelta::seconds(31));
        for expected in [taken.id, behind.id] {
            let delivery = next(&mut deliveries).await;
            assert_eq!(delivery.message.id, expected);
            delivery.ack().await;
        }
        relay.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_event_that_fits_no_queue_is_put_off_and_holds_up_only_its_aggregate() {
    on_each_backend(async |database, broker| {
        let clock = clock();
        let aggregate = Uuid::now_v7();
        let homeless = OutboxEvent {
            event_type: "nobody.wants.this".to_owned(),
            ..event(aggregate, clock.now())
        };
        let behind = event(aggregate, clock.now());
        let other = event(Uuid::now_v7(), clock.now());
        commit(
            database,
            &*clock,
            vec![homeless.clone(), behind, other.clone()],
        )
        .await;
        let relay = start(database, broker, clock.clone());
        let delivery = next(&mut broker.consume(WORK, 10).unwrap()).await;
        assert_eq!(delivery.message.id, other.id);
        delivery.ack().await;
        until_unpublished(database, 2).await;
        relay.stop().await;
        let row = row(database, homeless.id).await;
        assert_eq!(row.attempts, 1);
        assert!(row.locked_until.unwrap() > clock.now());
    })
    .await;
}

#[tokio::test]
async fn without_a_broker_nothing_is_lost_and_the_relay_does_not_spin() {
    on_each_database(async |database| {
        let clock = clock();
        let closed = connect(config("memory:")).await;
        closed.close().await;
        let kept = event(Uuid::now_v7(), clock.now());
        commit(database, &*clock, vec![kept.clone()]).await;
        let relay = start(database, &closed, clock.clone());
        let tried = async {
            while row(database, kept.id).await.attempts < 3 {
                tokio::task::yield_now().await;
            }
        };
        let since = std::time::Instant::now();
        in_time("the third attempt", tried).await;
        // The pauses before it were 50 and 100 ms, less up to half for jitter.
        assert!(
            since.elapsed() >= Duration::from_millis(70),
            "{:?}",
            since.elapsed()
        );
        relay.stop().await;

        let open = connect(config("memory:")).await;
        let relay = start(database, &open, clock.clone());
        let delivery = next(&mut open.consume(WORK, 1).unwrap()).await;
        assert_eq!(delivery.message.id, kept.id);
        delivery.ack().await;
        relay.stop().await;
    })
    .await;
}

#[tokio::test]
async fn published_rows_and_receipts_go_when_they_are_old() {
    on_each_database(async |database| {
        let clock = clock();
        let broker = connect(config("memory:")).await;
        let old = event(Uuid::now_v7(), clock.now());
        commit(database, &*clock, vec![old.clone()]).await;
        messaging::inbox::record(database.writer(), "saga", old.id, clock.now())
            .await
            .map(drop)
            .unwrap();
        let relay = start(database, &broker, clock.clone());
        until_unpublished(database, 0).await;
        relay.stop().await;
        clock.advance(TimeDelta::days(15));
        let young = event(Uuid::now_v7(), clock.now());
        commit(database, &*clock, vec![young.clone()]).await;

        let relay = start(database, &broker, clock.clone());
        let look = async {
            loop {
                let rows = outbox::Entity::find().all(database.reader()).await.unwrap();
                let receipts = messaging::inbox::Entity::find()
                    .count(database.reader())
                    .await
                    .unwrap();
                match rows.as_slice() {
                    [row] if row.id == young.id && receipts == 0 => return,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        in_time("the old row's end", look).await;
        relay.stop().await;
    })
    .await;
}
