//! Takes deliveries off the queue, several at a time, and settles each according to its outcome.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use messaging::Delivery;
use service_kit::problem::chain;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{CONSUMER, HandleError, QUEUE, Saga};

/// Before a failed message is delivered again; doubled with each attempt. A waiting message keeps
/// its place among those in hand, so that a worker for whom everything fails slows down.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Runs until the stream ends or `stop` is cancelled, then finishes what is in hand. The queue's
/// prefetch bounds how many tasks there are.
pub(crate) async fn run(
    mut deliveries: impl Stream<Item = Delivery> + Unpin,
    saga: Saga,
    stop: CancellationToken,
) {
    let mut in_hand = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            delivery = deliveries.next() => match delivery {
                Some(delivery) => {
                    in_hand.spawn(handle(delivery, saga.clone(), stop.clone()));
                }
                None => break,
            },
            Some(ended) = in_hand.join_next() => log_panic(ended),
        }
    }
    drop(deliveries);
    while let Some(ended) = in_hand.join_next().await {
        log_panic(ended);
    }
}

async fn handle(delivery: Delivery, saga: Saga, stop: CancellationToken) {
    let span = delivery.message.span(CONSUMER);
    let result = saga
        .handle(&delivery.message, delivery.attempt)
        .instrument(span.clone())
        .await;
    async {
        match result {
            Ok(applied) => {
                tracing::debug!(?applied, "handled");
                delivery.ack().await;
            }
            Err(error) if may_retry(&error, delivery.attempt) => {
                tracing::warn!(
                    attempt = delivery.attempt,
                    cause = chain(&error),
                    "will retry"
                );
                tokio::select! {
                    () = tokio::time::sleep(pause(delivery.attempt)) => {}
                    () = stop.cancelled() => {}
                }
                delivery.retry().await;
            }
            Err(error) => delivery.dead_letter(&chain(&error)).await,
        }
    }
    .instrument(span)
    .await;
}

/// The last failure sets the message aside itself: the broker would do so too, but without saying
/// why.
fn may_retry(error: &HandleError, attempt: u32) -> bool {
    error.is_transient() && attempt <= QUEUE.delivery_limit
}

fn pause(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE)
}

/// The message of a task that panicked has been given back when the task was dropped.
fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a message's handler panicked");
    }
}

#[cfg(test)]
mod tests {
    use payment::{Failure, PaymentError};

    use super::*;

    #[test]
    fn what_may_pass_is_retried_until_the_deliveries_are_used_up() {
        let unavailable = PaymentError::Unavailable(Failure::TooLarge { limit: 1 }).into();
        assert!(may_retry(&unavailable, 1));
        assert!(may_retry(&unavailable, QUEUE.delivery_limit));
        assert!(!may_retry(&unavailable, QUEUE.delivery_limit + 1));
        assert!(!may_retry(&HandleError::UnknownType("a.b.v1".into()), 1));
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(3), FIRST_PAUSE * 4);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
