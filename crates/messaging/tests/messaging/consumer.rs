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

use messaging::{
    Broker, DeadLetter, Message, QueueSpec,
    consumer::{Consumer, ConsumerConfig, Failure, FailureClass, Handler, RetryPolicy},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::backends::{QUEUES, WORK, in_time, message, on_each_broker, publish};

const QUEUE: QueueSpec = QUEUES[0];
const RETRIES: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_delay: Duration::from_millis(1),
    longest_delay: Duration::from_millis(5),
};

/// What is to happen to a message, attempt for attempt; what is not listed succeeds.
#[derive(Clone, Copy, Debug)]
enum Outcome {
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

struct Running {
    attempts: mpsc::UnboundedReceiver<(Uuid, u32)>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(broker: &Broker, script: impl IntoIterator<Item = (Uuid, Vec<Outcome>)>) -> Self {
        let (sender, attempts) = mpsc::unbounded_channel();
        let handler = Scripted {
            script: Arc::new(script.into_iter().collect()),
            attempts: sender,
        };
        let stop = CancellationToken::new();
        let consumer = Consumer::new(config(10), broker).unwrap();
        let task = tokio::spawn(consumer.run(handler, stop.clone()));
        Self {
            attempts,
            stop,
            task,
        }
    }

    async fn next(&mut self) -> (Uuid, u32) {
        in_time("an attempt", self.attempts.recv()).await.unwrap()
    }

    async fn stop(self) {
        self.stop.cancel();
        in_time("the end", self.task).await.unwrap();
    }
}

fn config(prefetch: u16) -> ConsumerConfig {
    ConsumerConfig {
        queue: QUEUE,
        prefetch,
        retries: RETRIES,
    }
}

/// Waits until the message was set aside.
async fn dead_letter(broker: &Broker, id: Uuid) -> DeadLetter {
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
async fn what_failed_for_now_is_tried_again_until_it_succeeds() {
    on_each_broker(async |broker| {
        let sent = message("test.work.v1");
        let script = [(sent.id, vec![Outcome::Transient, Outcome::Panic])];
        let mut running = Running::start(broker, script);
        publish(broker, slice::from_ref(&sent)).await;
        for attempt in 1..=3 {
            assert_eq!(running.next().await, (sent.id, attempt));
        }
        running.stop().await;
        assert!(broker.dead_letters(WORK, 1).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_fails_every_time_is_set_aside_with_the_last_reason() {
    on_each_broker(async |broker| {
        for (outcome, reason) in [
            (Outcome::Transient, "as the script says: Transient"),
            (Outcome::Panic, "the handler panicked: a bug"),
        ] {
            let sent = message("test.work.v1");
            let running = Running::start(broker, [(sent.id, vec![outcome; 3])]);
            publish(broker, slice::from_ref(&sent)).await;
            let letter = dead_letter(broker, sent.id).await;
            assert_eq!((letter.attempt, letter.reason.as_str()), (3, reason));
            running.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_can_never_succeed_is_set_aside_at_once() {
    on_each_broker(async |broker| {
        let sent = message("test.work.v1");
        let mut running = Running::start(broker, [(sent.id, vec![Outcome::Permanent; 3])]);
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
        let (started, mut starts) = mpsc::unbounded_channel();
        let handler = Gated {
            gate: Arc::new(Semaphore::new(0)),
            started,
            done: Arc::default(),
        };
        let stop = CancellationToken::new();
        let consumer = Consumer::new(config(2), broker).unwrap();
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

        let mut rest = Running::start(broker, []);
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
