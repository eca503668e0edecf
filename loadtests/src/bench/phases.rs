use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::BenchError;
use super::rate::per_second;
use crate::failure::Failure;
use crate::generator;
use crate::measurements::Measurements;
use crate::operations::{Operation, liveness};
use crate::recorder::Recorder;
use crate::schedule::{Schedule, Stage};
use crate::shop::client::ShopClient;
use crate::shop::shopper::{Credentials, Shopper, open_session};

/// Requests of one kind in flight; a flood waits for nothing below it.
const MAX_IN_FLIGHT: usize = 512;

/// What a phase of probes measured.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    pub refresh_p99_ms: f64,
    pub health_p99_ms: f64,
    /// Probes that were not answered well.
    pub failed: u64,
    /// The share (0 to 1) of probes that the generator sent late.
    pub late_share: f64,
    /// Log-ins a second that the flood got through, and that it was refused.
    pub log_in_rate: f64,
    pub refusal_rate: f64,
}

/// Whoever asks.
#[derive(Clone)]
pub(super) struct Bench(Arc<Inner>);

struct Inner {
    client: ShopClient,
    user: Credentials,
    sessions: Vec<Shopper>,
    turn: AtomicUsize,
}

impl Bench {
    pub(super) fn new(client: ShopClient, user: Credentials, sessions: Vec<Shopper>) -> Self {
        Self(Arc::new(Inner {
            client,
            user,
            sessions,
            turn: AtomicUsize::new(0),
        }))
    }

    /// Log-ins a second, so many under way at any time.
    pub(super) async fn log_in_rate(
        &self,
        at_once: usize,
        duration: Duration,
    ) -> Result<f64, BenchError> {
        let log_in = |_| {
            let bench = self.clone();
            async move { bench.perform(Operation::LogIn).await }
        };
        saturate(at_once, duration, log_in).await
    }

    /// Refreshes a second, one under way for each session.
    pub(super) async fn refresh_rate(&self, duration: Duration) -> Result<f64, BenchError> {
        let refresh = |session: usize| {
            let bench = self.clone();
            async move { bench.0.sessions[session].refresh(&bench.0.client).await }
        };
        saturate(self.0.sessions.len(), duration, refresh).await
    }

    /// Asks for refreshes and for health, `rate` of each a second, whatever else happens; during a
    /// flood of so many log-ins a second, if there is one.
    pub(super) async fn latencies(
        &self,
        rate: f64,
        flood: Option<f64>,
        duration: Duration,
    ) -> Result<Latencies, BenchError> {
        let probes = [Operation::Refresh, Operation::Liveness];
        let probing = self.generate(2.0 * rate, duration, probes);
        let (probed, flooded) = match flood {
            Some(flood) => {
                let flooding = self.generate(flood, duration, [Operation::LogIn; 2]);
                let (probed, flooded) = tokio::try_join!(probing, flooding)?;
                (probed, Some(flooded))
            }
            None => (probing.await?, None),
        };
        let p99 = |operation: Operation| {
            let mut operations = probed.operations.iter();
            let found = operations.find(|summary| summary.operation == operation.name());
            found.map_or(0.0, |summary| summary.latency.p99_ms)
        };
        let failures = flooded.as_ref().map_or(0, |flooded| flooded.failed);
        Ok(Latencies {
            refresh_p99_ms: p99(Operation::Refresh),
            health_p99_ms: p99(Operation::Liveness),
            failed: probed.failed,
            late_share: probed.slots.late_share(),
            log_in_rate: flooded.map_or(0.0, |flooded| flooded.achieved_rate),
            refusal_rate: failures as f64 / duration.as_secs_f64(),
        })
    }

    /// The operations by turns, on an open schedule.
    async fn generate(
        &self,
        rate: f64,
        duration: Duration,
        operations: [Operation; 2],
    ) -> Result<Measurements, BenchError> {
        let schedule = Schedule::new(vec![Stage::new(rate, duration)])?;
        let recorder = Arc::new(Recorder::new(duration));
        let bench = self.clone();
        let mut turns = operations.into_iter().cycle();
        let work = move || {
            let operation = turns.next().unwrap_or(Operation::Liveness);
            let bench = bench.clone();
            (operation, async move { bench.perform(operation).await })
        };
        generator::run(schedule, MAX_IN_FLIGHT, Arc::clone(&recorder), work).await?;
        Ok(recorder.measurements())
    }

    async fn perform(&self, operation: Operation) -> Result<(), Failure> {
        let Inner {
            client,
            user,
            sessions,
            turn,
        } = &*self.0;
        match operation {
            Operation::LogIn => open_session(client, user).await.map(drop),
            Operation::Refresh => {
                // Each in its turn: two refreshes of a session would wait for each other here.
                let turn = turn.fetch_add(1, Ordering::Relaxed);
                sessions[turn % sessions.len()].refresh(client).await
            }
            _ => liveness(client).await,
        }
    }
}

/// Answers a second when each of so many workers asks again as soon as it is answered.
async fn saturate<F>(
    workers: usize,
    duration: Duration,
    ask: impl Fn(usize) -> F,
) -> Result<f64, BenchError>
where
    F: Future<Output = Result<(), Failure>> + Send,
{
    let end = Instant::now() + duration;
    let ask = &ask;
    let work = |worker| async move {
        let mut answered = Vec::new();
        while Instant::now() < end {
            ask(worker).await?;
            answered.push(Instant::now());
        }
        Ok::<_, Failure>(answered)
    };
    let answered = futures_util::future::try_join_all((0..workers).map(work)).await?;
    per_second(answered.into_iter().flatten().collect())
}
