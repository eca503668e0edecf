//! The loop that every consumer of a queue runs: several messages in hand, each settled according
//! to what its [`Handler`] says about it.
//!
//! ```text
//! handled                       -> acknowledged
//! failed, transient or panicked -> again at once, a few times; then put off: written to the outbox
//!                                  to come back later, and acknowledged; in the end set aside
//! failed, permanent             -> set aside at once, with the reason
//! the database is away, too     -> kept in hand until it can be put off
//! ```
//!
//! [`RetryPolicy`] says how often and how far apart. When nothing can be handled, the consumer tries
//! one message at a time, more and more seldom, instead of using up everybody's attempts.

mod gate;
mod retries;

use std::{any::Any, error::Error, panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use database::Database;
use fail_points::FailPoint;
use futures_util::{FutureExt, StreamExt, stream::BoxStream};
use kernel::SharedClock;
use metrics::counter;
use sea_orm::DbErr;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use trace_context::Activity;
use tracing::Instrument;

use crate::{
    Broker, Delivery, Message, QueueSpec, UnknownQueue,
    backoff::{self, Backoff},
    outbox::{self, PutOff},
};
use gate::Gate;
pub use retries::RetryPolicy;
use retries::Verdict;

/// No event of ours comes near: a larger message is somebody else's, or a mistake.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Between attempts of a message that stays in hand.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a queue's messages are for. Clones share everything that they hold.
pub trait Handler: Clone + Send + Sync + 'static {
    type Error: Failure;

    /// Applies a message. It may come any number of times, at the same time even: the
    /// [`inbox`](crate::inbox) is there to apply it once. `attempt` counts from 1 how often it was
    /// tried, over all its deliveries.
    fn handle(
        &self,
        message: &Message,
        attempt: u32,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Why a message was not applied.
pub trait Failure: Error + Send + Sync + 'static {
    fn class(&self) -> FailureClass;
}

/// Whether there is hope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// Something is away that may come back, so that the same message may be applied later.
    Transient,
    /// The message will fail whenever it comes: it can't be read, or makes no sense.
    Permanent,
}

#[derive(Clone, Copy, Debug)]
pub struct ConsumerConfig {
    pub queue: QueueSpec,
    /// Messages in hand at a time.
    pub prefetch: u16,
    pub retries: RetryPolicy,
}

pub struct ConsumerDeps<'a> {
    pub broker: &'a Broker,
    /// Of the context that the queue belongs to: what is put off waits in its outbox, which a
    /// [`Relay`](crate::Relay) empties.
    pub database: &'a Database,
    pub clock: SharedClock,
}

/// Takes messages from a queue and settles them.
pub struct Consumer {
    config: ConsumerConfig,
    deliveries: BoxStream<'static, Delivery>,
    database: Database,
    clock: SharedClock,
}

impl Consumer {
    pub fn new(config: ConsumerConfig, deps: ConsumerDeps<'_>) -> Result<Self, UnknownQueue> {
        let ConsumerDeps {
            broker,
            database,
            clock,
        } = deps;
        broker.keep_dead_letters(config.queue.name, database)?;
        Ok(Self {
            config,
            deliveries: broker.consume(config.queue.name, config.prefetch)?,
            database: database.clone(),
            clock,
        })
    }

    /// Runs until `stop`, or until the broker is closed; then finishes what is in hand. Dropped
    /// before its end it drops the handlers where they are, and their messages come again.
    pub async fn run<H: Handler>(self, handler: H, stop: CancellationToken) {
        let Self {
            config,
            mut deliveries,
            database,
            clock,
        } = self;
        let in_hand = Hand {
            handler,
            config,
            database,
            clock,
            gate: Gate::new(config.queue.name),
            stop: stop.clone(),
        };
        let mut tasks = JoinSet::new();
        loop {
            // The broker keeps to the prefetch too, but counts anew when it lost a connection.
            let has_room = tasks.len() < usize::from(config.prefetch);
            tokio::select! {
                () = stop.cancelled() => break,
                delivery = deliveries.next(), if has_room => match delivery {
                    Some(delivery) => drop(tasks.spawn(in_hand.clone().take(delivery))),
                    None => break,
                },
                Some(ended) = tasks.join_next() => log_panic(ended),
            }
        }
        drop(deliveries);
        while let Some(ended) = tasks.join_next().await {
            log_panic(ended);
        }
    }
}

/// What the handling of one message needs.
#[derive(Clone)]
struct Hand<H> {
    handler: H,
    config: ConsumerConfig,
    database: Database,
    clock: SharedClock,
    gate: Gate,
    stop: CancellationToken,
}

/// Why an attempt came to nothing.
struct Failed {
    class: FailureClass,
    reason: String,
}

impl<H: Handler> Hand<H> {
    async fn take(self, delivery: Delivery) {
        let span = delivery.message.span(self.config.queue.name);
        self.settle(delivery).instrument(span).await;
    }

    async fn settle(&self, mut delivery: Delivery) {
        let size = delivery.message.body.len();
        if size > MAX_BODY_BYTES {
            let reason = format!("the message has {size} bytes, more than {MAX_BODY_BYTES}");
            return delivery.dead_letter(&reason).await;
        }
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let pass = self.stop.run_until_cancelled(self.gate.pass());
            if pass.await.is_none() {
                return delivery.give_back().await;
            }
            let attempt = delivery.attempt;
            let failed = match self.attempt(&delivery.message, attempt).await {
                Ok(()) => {
                    self.gate.succeeded();
                    return delivery.ack().await;
                }
                Err(failed) => failed,
            };
            match self.verdict(failed.class, attempt) {
                Verdict::SetAside => {
                    // A message that makes no sense says nothing about the others.
                    if failed.class == FailureClass::Transient {
                        self.gate.failed();
                    }
                    return delivery.dead_letter(&failed.reason).await;
                }
                Verdict::AtOnce => delivery.attempt += 1,
                Verdict::Within(longest) => {
                    self.gate.failed();
                    match self.put_off(&delivery, longest, &failed.reason).await {
                        Ok(()) => return delivery.ack().await,
                        // Neither can it be handled nor put off, whoever has it in hand.
                        Err(error) => {
                            tracing::warn!(error = &error as &dyn Error, "can't put it off");
                        }
                    }
                }
            }
            let pause = tokio::time::sleep(pauses.next_delay());
            self.stop.run_until_cancelled(pause).await;
        }
    }

    /// While nothing can be handled, trying one message several times would only keep the others
    /// waiting.
    fn verdict(&self, class: FailureClass, attempt: u32) -> Verdict {
        let retries = self.config.retries;
        match retries.after(class, attempt) {
            Verdict::AtOnce if self.gate.is_closed() => Verdict::Within(retries.delay(attempt)),
            verdict => verdict,
        }
    }

    /// Has the message come again, at a random time within `longest`.
    async fn put_off(
        &self,
        delivery: &Delivery,
        longest: Duration,
        reason: &str,
    ) -> Result<(), DbErr> {
        let now = self.clock.now();
        let delay = longest.mul_f64(backoff::fraction());
        let retry = PutOff {
            message: delivery.message.clone(),
            failed_attempts: delivery.attempt,
            // A delay too long for the calendar is none of ours: they are bounded by minutes.
            available_at: now + TimeDelta::from_std(delay).unwrap_or_default(),
        };
        let queue = self.config.queue.name;
        let transaction = self.database.begin().await?;
        outbox::put_off(&transaction, now, queue, vec![retry]).await?;
        transaction.commit().await?;
        counter!("plumbline_messages_put_off_total", "queue" => queue).increment(1);
        tracing::warn!(
            attempt = delivery.attempt,
            ?delay,
            cause = reason,
            "the message could not be handled and comes again"
        );
        Ok(())
    }

    async fn attempt(&self, message: &Message, attempt: u32) -> Result<(), Failed> {
        // Whatever the handler leaves behind when it panics is its own: the next call gets a clone
        // of its own as well.
        let handler = self.handler.clone();
        let handling = async {
            fail_points::reached(FailPoint::Handler);
            handler.handle(message, attempt).await
        };
        let activity = Activity::begin(&format!("process {}", message.event_type));
        match AssertUnwindSafe(activity.run(handling))
            .catch_unwind()
            .await
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failed {
                class: error.class(),
                reason: kernel::error_chain(&error),
            }),
            Err(panic) => Err(Failed {
                class: FailureClass::Transient,
                reason: panic_reason(&*panic),
            }),
        }
    }
}

/// A bug, perhaps one that only shows now and then: the message is tried again like others.
fn panic_reason(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let reason = format!("the handler panicked: {}", text.unwrap_or("without a word"));
    tracing::error!(reason);
    reason
}

/// The message of a task that panicked has been given back when the task was dropped.
fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a message could not be settled");
    }
}
