//! The loop that every consumer of a queue runs: several messages in hand, each settled according
//! to what its [`Handler`] says about it.
//!
//! ```text
//! handled                        -> acknowledged
//! failed, transient or panicked  -> handled again, later and later ([`RetryPolicy`]), at last set aside
//! failed, permanent              -> set aside at once, with the reason
//! ```

mod retries;

use std::{any::Any, error::Error, panic::AssertUnwindSafe};

use fail_points::FailPoint;
use futures_util::{FutureExt, StreamExt, stream::BoxStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{Broker, Delivery, Message, QueueSpec, UnknownQueue};
pub use retries::RetryPolicy;
use retries::Verdict;

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

/// Takes messages from a queue and settles them.
pub struct Consumer {
    config: ConsumerConfig,
    deliveries: BoxStream<'static, Delivery>,
}

impl Consumer {
    pub fn new(config: ConsumerConfig, broker: &Broker) -> Result<Self, UnknownQueue> {
        let deliveries = broker.consume(config.queue.name, config.prefetch)?;
        Ok(Self { config, deliveries })
    }

    /// Runs until `stop`, or until the broker is closed; then finishes what is in hand. Dropped
    /// before its end it drops the handlers where they are, and their messages come again.
    pub async fn run<H: Handler>(self, handler: H, stop: CancellationToken) {
        let Self {
            config,
            mut deliveries,
        } = self;
        let in_hand = Hand {
            handler,
            config,
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

    async fn settle(&self, delivery: Delivery) {
        let attempt = delivery.attempt;
        let failed = match self.attempt(&delivery.message, attempt).await {
            Ok(()) => return delivery.ack().await,
            Err(failed) => failed,
        };
        match self.config.retries.after(failed.class, attempt) {
            Verdict::Wait(delay) => {
                tracing::warn!(attempt, cause = failed.reason, "will retry");
                let pause = tokio::time::sleep(delay);
                self.stop.run_until_cancelled(pause).await;
                delivery.retry().await;
            }
            Verdict::GiveUp => delivery.dead_letter(&failed.reason).await,
        }
    }

    async fn attempt(&self, message: &Message, attempt: u32) -> Result<(), Failed> {
        // Whatever the handler leaves behind when it panics is its own: the next call gets a clone
        // of its own as well.
        let handler = self.handler.clone();
        let handling = async {
            fail_points::reached(FailPoint::Handler);
            handler.handle(message, attempt).await
        };
        match AssertUnwindSafe(handling).catch_unwind().await {
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
