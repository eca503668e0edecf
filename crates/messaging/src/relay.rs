use std::{collections::BTreeMap, error::Error, pin::pin, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use database::Database;
use fail_points::FailPoint;
use futures_util::{
    FutureExt,
    future::{Fuse, FusedFuture},
};
use kernel::SharedClock;
use metrics::{counter, gauge, histogram};
use sea_orm::DbErr;
use tokio::{sync::Notify, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::{
    Broker, Publication, PublishError,
    backoff::Backoff,
    inbox,
    outbox::{self, Claimed},
};

/// Batches that one relay publishes at a time, so that a new event does not wait for the confirms
/// of those before it.
const BATCHES_IN_FLIGHT: usize = 4;
/// Between two looks that did not find a full batch: under load, events wait for company instead of
/// being taken one by one, each with statements and a commit of its own.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// When the broker or the database is away.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A row that the broker refuses is put off by this, doubled with each attempt ...
const FIRST_REFUSAL_DELAY: TimeDelta = TimeDelta::milliseconds(200);
/// ... up to this many times.
const REFUSAL_DOUBLINGS: u32 = 8;
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(5);
const PRUNE_BATCH: u64 = 1_000;

#[derive(Clone, Copy, Debug)]
pub struct RelayConfig {
    /// How often it looks for rows when nobody wakes it: those of other processes, and those
    /// whose time has come.
    pub poll: Duration,
    /// Rows published together.
    pub batch: u64,
    /// How long a relay may take for a batch before another takes it over. It must exceed the
    /// time a publish may take; otherwise messages are only published twice.
    pub lease: Duration,
    /// How long published rows are kept.
    pub retention: Duration,
    /// How long receipts are kept. It must exceed `retention` and any replay.
    pub inbox_retention: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(25),
            batch: 100,
            lease: Duration::from_secs(10),
            retention: Duration::from_secs(24 * 60 * 60),
            inbox_retention: Duration::from_secs(14 * 24 * 60 * 60),
        }
    }
}

/// Tells the relay of this process that something was appended and committed.
#[derive(Clone, Debug, Default)]
pub struct RelayWaker(Arc<Notify>);

impl RelayWaker {
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Takes events from the outbox to the broker, at least once and in order for each aggregate.
///
/// A row is taken under a lease, published, and marked when the broker has confirmed it. A relay
/// that dies in between leaves the row to the next one, whence "at least". Any number of relays
/// may share a database.
#[derive(Clone)]
pub struct Relay {
    database: Database,
    broker: Broker,
    clock: SharedClock,
    config: RelayConfig,
    waker: RelayWaker,
}

impl Relay {
    #[must_use]
    pub fn new(
        database: Database,
        broker: Broker,
        clock: SharedClock,
        config: RelayConfig,
        waker: RelayWaker,
    ) -> Self {
        Self {
            database,
            broker,
            clock,
            config,
            waker,
        }
    }

    /// Runs until `cancel`, then finishes the batches that are on their way.
    pub async fn run(&self, cancel: CancellationToken) {
        let publishing = self.publish_until(&cancel);
        let housekeeping = cancel.run_until_cancelled(self.keep_house());
        tokio::join!(publishing, housekeeping);
    }

    async fn publish_until(&self, cancel: &CancellationToken) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        // Tasks, not futures of this one: a future that is not polled while this loop waits for
        // the database may be the one that was given SQLite's only writing connection.
        let mut batches = JoinSet::new();
        let mut pause = pin!(Fuse::terminated());
        // Rows may be there: of before this start, or behind those just published.
        let mut look_at_once = true;
        let mut earliest = Instant::now();
        loop {
            let may_look = pause.is_terminated() && batches.len() < BATCHES_IN_FLIGHT;
            tokio::select! {
                () = cancel.cancelled() => break,
                () = &mut pause, if !pause.is_terminated() => look_at_once = true,
                Some(outcome) = batches.join_next() => match outcome {
                    Ok(Outcome::Heard) => {
                        backoff.reset();
                        look_at_once = true;
                    }
                    Ok(Outcome::Outage) | Err(_) => {
                        pause.set(self.sit_out(backoff.next_delay()).fuse());
                    }
                },
                () = self.next_look(look_at_once, earliest), if may_look => match self.claim().await {
                    Ok(rows) => {
                        look_at_once = rows.len() as u64 == self.config.batch;
                        if !look_at_once {
                            earliest = Instant::now() + BETWEEN_LOOKS;
                        }
                        if !rows.is_empty() {
                            let relay = self.clone();
                            batches.spawn(async move { relay.publish(rows).await });
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn Error, "can't read the outbox");
                        pause.set(self.sit_out(backoff.next_delay()).fuse());
                    }
                },
            }
        }
        while batches.join_next().await.is_some() {}
    }

    async fn next_look(&self, at_once: bool, earliest: Instant) {
        // First of all: a wake-up that comes meanwhile, or while nobody waits, is kept.
        tokio::time::sleep_until(earliest).await;
        if !at_once {
            let _ = tokio::time::timeout(self.config.poll, self.waker.0.notified()).await;
        }
    }

    /// Waits a while, and then for the broker: while it is away nothing is taken.
    async fn sit_out(&self, delay: Duration) {
        tokio::time::sleep(delay).await;
        self.broker.wait_until_publishable().await;
    }

    async fn claim(&self) -> Result<Vec<Claimed>, DbErr> {
        let lease = time_delta(self.config.lease);
        outbox::claim(&self.database, self.clock.now(), lease, self.config.batch).await
    }

    async fn publish(&self, rows: Vec<Claimed>) -> Outcome {
        let spans: Vec<Span> = rows.iter().map(publishing_span).collect();
        let traced = |(row, span): (&Claimed, &Span)| {
            let mut message = row.message.clone();
            message.traceparent = trace_context::traceparent_of(span).or(message.traceparent);
            Publication {
                message,
                queue: row.queue.clone(),
                failed_attempts: row.failed_attempts,
            }
        };
        let batch: Vec<_> = rows.iter().zip(&spans).map(traced).collect();
        let results = self.broker.send(&batch).await;
        fail_points::reached(FailPoint::AfterPublishBeforeMark);
        drop(spans);
        if let Err(error) = self.settle(&rows, &results).await {
            // The lease runs out, and the rows are published again.
            tracing::warn!(error = &error as &dyn Error, "can't record confirms");
        }
        Outcome::of(&results)
    }

    /// Marks what was confirmed and gives the rest back: at once if the broker is away, for then
    /// the relay as a whole waits; later and later if the broker refuses this very message.
    async fn settle(
        &self,
        rows: &[Claimed],
        results: &[Result<(), PublishError>],
    ) -> Result<(), DbErr> {
        let now = self.clock.now();
        let mut published = Vec::new();
        let mut released: BTreeMap<Option<DateTime<Utc>>, Vec<i64>> = BTreeMap::new();
        for (row, result) in rows.iter().zip(results) {
            match result {
                Ok(()) => {
                    let waited = (now - row.available_at).as_seconds_f64();
                    histogram!("plumbline_outbox_wait_seconds").record(waited);
                    published.push(row.seq);
                }
                Err(error) => {
                    warn_unpublished(row, error);
                    let put_off = (!error.is_outage()).then(|| now + refusal_delay(row.attempts));
                    released.entry(put_off).or_default().push(row.seq);
                }
            }
        }
        if !published.is_empty() {
            let count = published.len() as u64;
            outbox::mark_published(&self.database, now, published).await?;
            counter!("plumbline_outbox_published_total").increment(count);
        }
        for (locked_until, seqs) in released {
            counter!("plumbline_outbox_released_total").increment(seqs.len() as u64);
            outbox::release(&self.database, seqs, locked_until).await?;
        }
        Ok(())
    }

    /// Prunes what is old and measures what waits, for ever.
    async fn keep_house(&self) {
        let mut interval = tokio::time::interval(HOUSEKEEPING_INTERVAL);
        loop {
            interval.tick().await;
            if let Err(error) = self.tidy().await {
                tracing::warn!(error = &error as &dyn Error, "can't tidy the outbox");
            }
        }
    }

    async fn tidy(&self) -> Result<(), DbErr> {
        let waiting = outbox::count_unpublished(&self.database).await?;
        // A gauge is a float; exact up to 2^53.
        gauge!("plumbline_outbox_unpublished").set(waiting as f64);
        let now = self.clock.now();
        let published_before = now - time_delta(self.config.retention);
        while outbox::prune(&self.database, published_before, PRUNE_BATCH).await? == PRUNE_BATCH {}
        let received_before = now - time_delta(self.config.inbox_retention);
        while inbox::prune(&self.database, received_before, PRUNE_BATCH).await? == PRUNE_BATCH {}
        Ok(())
    }
}

/// What a batch says about the broker.
enum Outcome {
    Heard,
    Outage,
}

impl Outcome {
    fn of(results: &[Result<(), PublishError>]) -> Self {
        let mut errors = results.iter().filter_map(|result| result.as_ref().err());
        if errors.any(PublishError::is_outage) {
            Self::Outage
        } else {
            Self::Heard
        }
    }
}

/// A child of the span that appended the event: in its trace, the time from claim to confirm.
fn publishing_span(row: &Claimed) -> Span {
    let span = tracing::info_span!(
        "publish",
        otel.name = format!("publish {}", row.message.event_type),
        otel.kind = "producer",
        messaging.message.id = %row.message.id,
        aggregate_id = %row.message.aggregate_id,
    );
    trace_context::continue_trace(&span, row.message.traceparent.as_deref());
    span
}

fn warn_unpublished(row: &Claimed, error: &PublishError) {
    tracing::warn!(
        message_id = %row.message.id,
        event_type = row.message.event_type,
        attempts = row.attempts,
        error = error as &dyn Error,
        "the message is not confirmed: it will be published again"
    );
}

fn refusal_delay(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1)
        .unwrap_or(0)
        .min(REFUSAL_DOUBLINGS);
    FIRST_REFUSAL_DELAY * 2_i32.pow(doublings)
}

/// A duration too long for the calendar is cut to about 31,700 years.
fn time_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::seconds(1_000_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_is_put_off_longer_and_longer_up_to_a_minute() {
        let delays = [1, 2, 3, 9, 10, i32::MAX].map(refusal_delay);
        assert_eq!(
            delays.map(|delay| delay.num_milliseconds()),
            [200, 400, 800, 51_200, 51_200, 51_200]
        );
    }
}
