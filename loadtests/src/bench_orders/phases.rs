use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Clock as _, SystemClock};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::books::Books;
use super::{BenchOrdersError, Options};
use crate::generator;
use crate::operations::Operation;
use crate::processes::ProcessTarget;
use crate::recorder::Recorder;
use crate::schedule::{Schedule, Stage};
use crate::shop::Shop;

/// Before what counts: connections are made, plans are remembered, the pipeline fills.
const WARM_UP: Duration = Duration::from_secs(2);
/// How often it is looked how many orders are on their way.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// The longest that the last order may take after a phase.
const SETTLE_LIMIT: Duration = Duration::from_secs(120);
/// Requests in flight on the open schedule.
const MAX_IN_FLIGHT: usize = 512;

/// Orders as fast as they are confirmed.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// Confirmed.
    pub orders_per_second: f64,
    /// Requests that placed no order.
    pub failed: u64,
    /// Of each process.
    pub costs: Vec<Cost>,
}

/// Processor time of one process, with all that it started, for each confirmed order.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    pub process: String,
    pub cpu_us_per_order: f64,
}

/// Orders at half that rate, from `PLACED` to `CONFIRMED`.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Asked for, by the open schedule.
    pub rate: f64,
    pub orders: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// The share (0 to 1) of requests that the generator sent late.
    pub late_share: f64,
    pub failed: u64,
}

pub(super) async fn throughput(
    options: &Options,
    shop: &Arc<Shop>,
    books: &Books,
) -> Result<Throughput, BenchOrdersError> {
    let end = Instant::now() + WARM_UP + options.phase;
    let placing = place_until(options, shop, books, end);
    let counting = async {
        tokio::time::sleep(WARM_UP).await;
        let (cpu_before, from) = (cpu_of(&options.processes), SystemClock.now());
        let begun = Instant::now();
        tokio::time::sleep(options.phase).await;
        let (cpu_after, to) = (cpu_of(&options.processes), SystemClock.now());
        (
            begun.elapsed().as_secs_f64(),
            from,
            to,
            cpu_before,
            cpu_after,
        )
    };
    let (failed, (seconds, from, to, before, after)) = tokio::join!(placing, counting);
    let failed = failed?;
    books.settled(SETTLE_LIMIT).await?;
    let confirmed = books.confirmed(from, to).await?;
    if confirmed == 0 {
        return Err(BenchOrdersError::Nothing);
    }
    let cost = |((process, before), (_, after)): (&(String, f64), &(String, f64))| Cost {
        process: process.clone(),
        cpu_us_per_order: (after - before) * 1_000_000.0 / confirmed as f64,
    };
    Ok(Throughput {
        orders_per_second: confirmed as f64 / seconds,
        failed,
        costs: before.iter().zip(&after).map(cost).collect(),
    })
}

/// Places orders until `end`, never more than are to be on their way; how many requests failed.
async fn place_until(
    options: &Options,
    shop: &Arc<Shop>,
    books: &Books,
    end: Instant,
) -> Result<u64, BenchOrdersError> {
    let allowed = Arc::new(Semaphore::new(0));
    let placing = Arc::new(AtomicU64::new(0));
    let failed = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut placers = JoinSet::new();
    for number in 0..options.placers {
        let (shop, allowed, placing) =
            (Arc::clone(shop), Arc::clone(&allowed), Arc::clone(&placing));
        let (failed, is_over) = (Arc::clone(&failed), Arc::clone(&is_over));
        placers.spawn(async move {
            let mut random = StdRng::seed_from_u64(number as u64);
            while let Ok(permit) = allowed.acquire().await {
                permit.forget();
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                placing.fetch_add(1, Ordering::Relaxed);
                let own = StdRng::from_rng(&mut random);
                if Operation::PlaceOrderRest.perform(&shop, own).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                placing.fetch_sub(1, Ordering::Relaxed);
            }
        });
    }
    while Instant::now() < end {
        let on_their_way = books.open_orders().await? + placing.load(Ordering::Relaxed);
        let taken = on_their_way + allowed.available_permits() as u64;
        allowed.add_permits(options.open.saturating_sub(taken) as usize);
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    is_over.store(true, Ordering::Relaxed);
    allowed.close();
    while let Some(ended) = placers.join_next().await {
        ended?;
    }
    Ok(failed.load(Ordering::Relaxed))
}

pub(super) async fn latency(
    options: &Options,
    shop: &Arc<Shop>,
    books: &Books,
    rate: f64,
) -> Result<Latency, BenchOrdersError> {
    let recorder = Arc::new(Recorder::new(options.phase));
    let stage = Stage::new(rate, options.phase);
    let schedule = Schedule::new(vec![stage]).map_err(|_| BenchOrdersError::Nothing)?;
    let mut random = StdRng::seed_from_u64(1);
    let work_shop = Arc::clone(shop);
    let work = move || {
        let (shop, own) = (Arc::clone(&work_shop), StdRng::from_rng(&mut random));
        let operation = Operation::PlaceOrderRest;
        (
            operation,
            async move { operation.perform(&shop, own).await },
        )
    };
    let from = SystemClock.now();
    generator::run(schedule, MAX_IN_FLIGHT, Arc::clone(&recorder), work).await?;
    let to = SystemClock.now();
    books.settled(SETTLE_LIMIT).await?;
    let mut took = books.placed_to_confirmed(from, to).await?;
    took.sort_unstable();
    let measured = recorder.measurements();
    Ok(Latency {
        rate,
        orders: took.len(),
        p50_ms: quantile(&took, 0.5).ok_or(BenchOrdersError::Nothing)?,
        p99_ms: quantile(&took, 0.99).ok_or(BenchOrdersError::Nothing)?,
        late_share: measured.slots.late_share(),
        failed: measured.failed,
    })
}

/// In milliseconds; the smallest value that this share of the sorted ones does not exceed.
fn quantile(sorted: &[Duration], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let value = sorted.get(rank.saturating_sub(1))?;
    Some(value.as_secs_f64() * 1_000.0)
}

fn cpu_of(processes: &[ProcessTarget]) -> Vec<(String, f64)> {
    let of = |process: &ProcessTarget| (process.name.clone(), process.cpu_seconds().unwrap_or(0.0));
    processes.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let took: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(quantile(&took, 0.5), Some(100.0));
        assert_eq!(quantile(&took, 0.99), Some(198.0));
        assert_eq!(quantile(&took[..1], 0.99), Some(1.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
