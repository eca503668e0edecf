//! What every consumer does with what its handler says.

use std::{
    collections::HashMap,
    slice,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use database::Database;
use kernel::{Clock, ManualClock};
use messaging::{
    Broker, DeadLetter, Message, QueueSpec,
    consumer::{
        Consumer, ConsumerConfig, ConsumerDeps, Failure, FailureClass, Handler, RetryPolicy,
    },
    outbox,
};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, entity::prelude::*};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    backends::{
        AUDIT, QUEUES, WORK, clock, in_time, message, next, on_each_backend, on_each_broker,
        publish, sqlite,
    },
    relay,
};

const QUEUE: QueueSpec = QUEUES[0];
/// Twice at once, then twice later.
const RETRIES: RetryPolicy = RetryPolicy {
    at_once: 1,
    first_delay: Duration::from_secs(10),
    longest_delay: Duration::from_secs(15),
    attempts: 4,
};

/// What is to happen to a message, attempt for attempt; what is not listed succeeds.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    Transient,
    Permanent,
    Panic,
}

/// Does as it is told, and tells of every attempt.
#[derive(Clone)]
struct Scripted {
    script: Arc<HashMap<Uuid, Vec<Outcome>>>,
    attempts: mpsc::UnboundedSender<(Uuid, u32)>,
}

#[derive(Debug, thiserror::Error)]
#[error("as the script says: {0:?}")]
struct AsScripted(Outcome);

impl Failure for AsScripted {
    fn class(&self) -> FailureClass {
        match self.0 {
            Outcome::Transient | Outcome::Panic => FailureClass::Transient,
            Outcome::Permanent => FailureClass::Permanent,
        }
    }
}

impl Handler for Scripted {
    type Error = AsScripted;

    async fn handle(&self, message: &Message, attempt: u32) -> Result<(), AsScripted> {
        self.attempts.send((message.id, attempt)).unwrap();
        let outcomes = self.script.get(&message.id);
        match outcomes.and_then(|outcomes| outcomes.get(attempt as usize - 1)) {
            None => Ok(()),
            Some(Outcome::Panic) => panic!("a bug"),
            Some(outcome) => Err(AsScripted(*outcome)),
        }
    }
}

/// A consumer with its relay, on a clock that only the test advances.
pub struct Running {
    attempts: mpsc::UnboundedReceiver<(Uuid, u32)>,
    clock: Arc<ManualClock>,
    relay: relay::Running,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start(
        database: &Database,
        broker: &Broker,
        script: impl IntoIterator<Item = (Uuid, Vec<Outcome>)>,
    ) -> Self {
        let (sender, attempts) = mpsc::unbounded_channel();
        let handler = Scripted {
            script: Arc::new(script.into_iter().collect()),
            attempts: sender,
        };
        let (stop, clock) = (CancellationToken::new(), clock());
        let consumer = consumer(10, database, broker, &clock);
        let task = tokio::spawn(consumer.run(handler, stop.clone()));
        Self {
            attempts,
            relay: relay::start(database, broker, clock.clone()),
            clock,
            stop,
            task,
        }
    }

    pub async fn next(&mut self) -> (Uuid, u32) {
        in_time("an attempt", self.attempts.recv()).await.unwrap()
    }

    /// The next attempt of the message that was put off after this one: not before its time, and
    /// soon after it.
    pub async fn next_after(&mut self, database: &Database, attempt: u32) -> (Uuid, u32) {
        until_put_off(database, attempt).await;
        assert!(self.attempts.is_empty(), "it does not come of itself");
        self.clock.advance(TimeDelta::seconds(15));
        self.next().await
    }

    pub async fn stop(self) {
        self.stop.cancel();
        in_time("the end", self.task).await.unwrap();
        self.relay.stop().await;
    }
}

/// Waits until a message that failed so often waits in the outbox.
pub async fn until_put_off(database: &Database, failed_attempts: u32) {
    let put_off = outbox::Entity::find()
        .filter(outbox::Column::FailedAttempts.eq(failed_attempts))
        .filter(outbox::Column::PublishedAt.is_null());
    let look = async {
        while put_off
            .clone()
            .one(database.reader())
            .await
            .unwrap()
            .is_none()
        {}
    };
    in_time("the message to be put off", look).await;
}

fn consumer(
    prefetch: u16,
    database: &Database,
    broker: &Broker,
    clock: &Arc<ManualClock>,
) -> Consumer {
    let config = ConsumerConfig {
        queue: QUEUE,
        prefetch,
        retries: RETRIES,
    };
    let deps = ConsumerDeps {
        broker,
        database,
        clock: clock.clone(),
    };
    Consumer::new(config, deps).unwrap()
}

/// Waits until the message was set aside.
pub async fn dead_letter(broker: &Broker, id: Uuid) -> DeadLetter {
    let look = async {
        loop {
            let letters = broker.dead_letters(WORK, 10).await.unwrap();
            let mut letters = letters.into_iter();
            match letters.find(|letter| letter.message.id == id) {
                Some(letter) => return letter,
                None => tokio::task::yield_now().await,
            }
        }
    };
    in_time("a dead letter", look).await
}

#[tokio::test]
async fn what_failed_for_now_comes_again_at_once_and_then_later_until_it_succeeds() {
    on_each_backend(async |database, broker| {
        let sent = message("test.work.v1");
        let script = vec![Outcome::Transient, Outcome::Panic, Outcome::Transient];
        let mut running = Running::start(database, broker, [(sent.id, script)]);
        publish(broker, slice::from_ref(&sent)).await;
        assert_eq!(running.next().await, (sent.id, 1));
        assert_eq!(running.next().await, (sent.id, 2));
        for attempt in [2, 3] {
            let next = running.next_after(database, attempt).await;
            assert_eq!(next, (sent.id, attempt + 1));
        }
        relay::until_unpublished(database, 0).await;
        running.stop().await;
        assert!(broker.dead_letters(WORK, 1).await.unwrap().is_empty());
        // Of one message there is one row, however often it is put off.
        let rows = outbox::Entity::find().all(database.reader()).await.unwrap();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.retry_of, row.failed_attempts))
            .collect();
        assert_eq!(rows, [(Some(sent.id), 3)]);
    })
    .await;
}

#[tokio::test]
async fn what_is_put_off_comes_to_the_queue_where_it_failed_and_to_no_other() {
    on_each_backend(async |database, broker| {
        let sent = message("test.both.v1");
        let queue = QUEUES[2];
        let (sender, mut attempts) = mpsc::unbounded_channel();
        let handler = Scripted {
            script: Arc::new(HashMap::from([(sent.id, vec![Outcome::Transient; 2])])),
            attempts: sender,
        };
        let (stop, clock) = (CancellationToken::new(), clock());
        let config = ConsumerConfig {
            queue,
            prefetch: 1,
            retries: RETRIES,
        };
        let deps = ConsumerDeps {
            broker,
            database,
            clock: clock.clone(),
        };
        let consumer = Consumer::new(config, deps).unwrap();
        let task = tokio::spawn(consumer.run(handler, stop.clone()));
        publish(broker, slice::from_ref(&sent)).await;
        let mut others = broker.consume(AUDIT, 10).unwrap();
        next(&mut others).await.ack().await;
        until_put_off(database, 2).await;
        clock.advance(TimeDelta::seconds(15));
        let relay = relay::start(database, broker, clock);
        for attempt in 1..=3 {
            let next = in_time("an attempt", attempts.recv()).await;
            assert_eq!(next, Some((sent.id, attempt)));
        }
        let after = message("test.audit.v1");
        publish(broker, slice::from_ref(&after)).await;
        let delivery = next(&mut others).await;
        assert_eq!(delivery.message.id, after.id);
        delivery.ack().await;
        stop.cancel();
        in_time("the end", task).await.unwrap();
        relay.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_fails_every_time_is_set_aside_with_the_last_reason() {
    on_each_backend(async |database, broker| {
        for (outcome, reason) in [
            (Outcome::Transient, "as the script says: Transient"),
            (Outcome::Panic, "the handler panicked: a bug"),
        ] {
            let sent = message("test.work.v1");
            let mut running = Running::start(database, broker, [(sent.id, vec![outcome; 4])]);
            publish(broker, slice::from_ref(&sent)).await;
            for _ in 0..2 {
                running.next().await;
            }
            for attempt in [2, 3] {
                running.next_after(database, attempt).await;
            }
            let letter = dead_letter(broker, sent.id).await;
            assert_eq!((letter.attempt, letter.reason.as_str()), (4, reason));
            assert_eq!(letter.message.trace_id(), sent.trace_id());
            assert_eq!(letter.message.body, sent.body);
            running.stop().await;
            broker
                .replay_dead_letters(WORK, None, clock().now())
                .await
                .unwrap();
            let mut cured = Running::start(database, broker, []);
            assert_eq!(cured.next().await, (sent.id, 1));
            cured.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_can_never_succeed_is_set_aside_at_once() {
    on_each_backend(async |database, broker| {
        let sent = message("test.work.v1");
        let script = [(sent.id, vec![Outcome::Permanent; 3])];
        let mut running = Running::start(database, broker, script);
        publish(broker, slice::from_ref(&sent)).await;
        let expected = DeadLetter {
            message: sent.clone(),
            reason: "as the script says: Permanent".to_owned(),
            attempt: 1,
        };
        assert_eq!(dead_letter(broker, sent.id).await, expected);
        assert_eq!(running.next().await, (sent.id, 1));
        assert!(running.attempts.is_empty());
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_set_aside_unread() {
    on_each_backend(async |database, broker| {
        let large = Message {
            body: vec![b' '; 1024 * 1024 + 1].into(),
            ..message("test.work.v1")
        };
        let mut running = Running::start(database, broker, []);
        publish(broker, slice::from_ref(&large)).await;
        let letter = dead_letter(broker, large.id).await;
        assert_eq!(
            letter.reason,
            "the message has 1048577 bytes, more than 1048576"
        );
        let ours = message("test.work.v1");
        publish(broker, slice::from_ref(&ours)).await;
        assert_eq!(running.next().await, (ours.id, 1));
        running.stop().await;
    })
    .await;
}

/// With the database the outbox is gone, too: a message that fails can't be put off.
#[tokio::test]
async fn while_nothing_works_messages_stay_in_hand_and_use_up_nothing() {
    on_each_broker(async |broker| {
        let home = sqlite().await;
        let database = &home.database;
        let sent = message("test.work.v1");
        let mut running =
            Running::start(database, broker, [(sent.id, vec![Outcome::Transient; 2])]);
        database
            .writer()
            .execute_unprepared("ALTER TABLE outbox RENAME TO away")
            .await
            .unwrap();
        publish(broker, slice::from_ref(&sent)).await;
        for attempt in [1, 2, 2, 2, 2] {
            assert_eq!(running.next().await, (sent.id, attempt));
        }
        database
            .writer()
            .execute_unprepared("ALTER TABLE away RENAME TO outbox")
            .await
            .unwrap();
        until_put_off(database, 2).await;
        running.clock.advance(TimeDelta::seconds(15));
        while running.next().await != (sent.id, 3) {}
        running.stop().await;
        assert!(broker.dead_letters(WORK, 1).await.unwrap().is_empty());
    })
    .await;
}

/// Handles nothing until it is let.
#[derive(Clone)]
struct Gated {
    gate: Arc<Semaphore>,
    started: mpsc::UnboundedSender<()>,
    done: Arc<AtomicUsize>,
}

impl Handler for Gated {
    type Error = AsScripted;

    async fn handle(&self, _: &Message, _: u32) -> Result<(), AsScripted> {
        self.started.send(()).unwrap();
        let _permit = self.gate.acquire().await.unwrap();
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn stopping_finishes_what_is_in_hand_and_leaves_the_rest() {
    on_each_broker(async |broker| {
        let home = sqlite().await;
        let (started, mut starts) = mpsc::unbounded_channel();
        let handler = Gated {
            gate: Arc::new(Semaphore::new(0)),
            started,
            done: Arc::default(),
        };
        let stop = CancellationToken::new();
        let consumer = consumer(2, &home.database, broker, &clock());
        let task = tokio::spawn(consumer.run(handler.clone(), stop.clone()));
        let batch: Vec<_> = (0..5).map(|_| message("test.work.v1")).collect();
        publish(broker, &batch).await;
        for _ in 0..2 {
            in_time("a start", starts.recv()).await.unwrap();
        }
        stop.cancel();
        // The prefetch is all that is in hand.
        assert!(starts.is_empty());
        handler.gate.add_permits(2);
        in_time("the end", task).await.unwrap();
        assert_eq!(handler.done.load(Ordering::Relaxed), 2);

        let mut rest = Running::start(&home.database, broker, []);
        let mut left = Vec::new();
        for _ in 0..3 {
            left.push(rest.next().await.0);
        }
        left.sort_unstable();
        let mut expected: Vec<_> = batch.iter().skip(2).map(|message| message.id).collect();
        expected.sort_unstable();
        assert_eq!(left, expected);
        rest.stop().await;
    })
    .await;
}
