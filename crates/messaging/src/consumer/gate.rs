use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Breaker, BreakerPolicy};
use metrics::{counter, gauge};
use tokio::{sync::Notify, time::Instant};

const POLICY: BreakerPolicy = BreakerPolicy {
    threshold: 10,
    first_pause: TimeDelta::milliseconds(500),
    longest_pause: TimeDelta::seconds(30),
};

/// What every attempt of a consumer passes. When several messages in a row could not be handled,
/// something that all of them need is away: then one is let through at a time, to see whether it is
/// back, after longer and longer pauses, and the others wait in hand. The prefetch bounds how many
/// those are, and the rest waits in the queue, where it uses up no attempts.
#[derive(Clone)]
pub(super) struct Gate(Arc<Shared>);

struct Shared {
    queue: &'static str,
    breaker: Mutex<Breaker>,
    opened: Notify,
    /// Pauses are measured from there: they have nothing to do with the time of day.
    start: Instant,
}

impl Gate {
    pub(super) fn new(queue: &'static str) -> Self {
        let gate = Self(Arc::new(Shared {
            queue,
            breaker: Mutex::new(Breaker::new(POLICY)),
            opened: Notify::new(),
            start: Instant::now(),
        }));
        gate.measure(false);
        gate
    }

    /// Waits until an attempt may be made.
    pub(super) async fn pass(&self) {
        loop {
            let opened = self.0.opened.notified();
            let Err(wait) = self.breaker().admit(self.now()) else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = opened => {}
            }
        }
    }

    /// A message was handled: all may pass.
    pub(super) fn succeeded(&self) {
        let was_closed = {
            let mut breaker = self.breaker();
            let was_closed = breaker.is_open();
            breaker.succeeded();
            was_closed
        };
        if was_closed {
            self.measure(false);
            tracing::info!(queue = self.0.queue, "messages can be handled again");
            self.0.opened.notify_waiters();
        }
    }

    /// A message could not be handled for a reason that may concern all.
    pub(super) fn failed(&self) {
        let has_closed = {
            let mut breaker = self.breaker();
            let was_closed = breaker.is_open();
            breaker.failed(self.now());
            !was_closed && breaker.is_open()
        };
        if has_closed {
            self.measure(true);
            counter!("plumbline_consumer_pauses_total", "queue" => self.0.queue).increment(1);
            tracing::warn!(
                queue = self.0.queue,
                "no message can be handled: one is tried at a time"
            );
        }
    }

    /// Whether attempts are made one at a time.
    pub(super) fn is_closed(&self) -> bool {
        self.breaker().is_open()
    }

    fn measure(&self, is_closed: bool) {
        let value = if is_closed { 1.0 } else { 0.0 };
        gauge!("plumbline_consumer_paused", "queue" => self.0.queue).set(value);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + since(self.0.start)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        let breaker = self.0.breaker.lock();
        breaker.unwrap_or_else(PoisonError::into_inner)
    }
}

fn since(start: Instant) -> Duration {
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    fn closed() -> Gate {
        let gate = Gate::new("test");
        for _ in 0..POLICY.threshold {
            gate.failed();
        }
        gate
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_failures_hold_nobody_up() {
        let gate = Gate::new("test");
        for _ in 1..POLICY.threshold {
            gate.failed();
            gate.pass().await;
        }
        assert_eq!(gate.now(), DateTime::UNIX_EPOCH);
        assert!(!gate.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn after_many_failures_one_passes_at_a_time_and_later_and_later() {
        let gate = closed();
        assert!(gate.is_closed());
        let mut passed = Vec::new();
        for _ in 0..9 {
            gate.pass().await;
            passed.push(since(gate.0.start).as_millis());
            gate.failed();
        }
        let pauses: Vec<_> = passed.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(passed[0], 500);
        let expected = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
        for (pause, expected) in pauses.into_iter().zip(expected) {
            // A timer's resolution.
            assert!(
                (expected..expected + 10).contains(&pause),
                "{pause} of {expected}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_lets_everybody_pass_at_once() {
        let gate = closed();
        gate.pass().await;
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move { gate.pass().await })
            })
            .collect();
        yield_now().await;
        assert!(waiting.iter().all(|task| !task.is_finished()));
        let before = gate.now();
        gate.succeeded();
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(gate.now(), before);
        assert!(!gate.is_closed());
    }
}
