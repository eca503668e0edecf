//! Many orders wait, and are worked off: nobody's memory may grow with their number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use std::process::Command;
use tokio::task::JoinSet;

use super::books::Books;
use super::{BenchOrdersError, Options};
use crate::operations::Operation;
use crate::processes::ProcessTarget;
use crate::shop::Shop;

/// The process that stands still meanwhile. In the embedded mode there is none, and the orders
/// wait because they come faster than they are worked off.
const WORKER: &str = "worker";
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// The longest that the whole backlog may take.
const LIMIT: Duration = Duration::from_secs(1_200);

#[derive(Clone, Debug, Serialize)]
pub struct Backlog {
    /// Orders that waited when the last one had been placed.
    pub orders: u64,
    pub seconds: f64,
    pub orders_per_second: f64,
    pub memory: Vec<Memory>,
}

/// Resident memory of one process and all that it started, in bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    pub process: String,
    /// Before the first order of the backlog.
    pub before: u64,
    /// When all of them waited.
    pub full: u64,
    /// The most while they were worked off.
    pub peak: u64,
    /// When the last one was confirmed.
    pub after: u64,
}

pub(super) async fn drain(
    options: &Options,
    shop: &Arc<Shop>,
    books: &Books,
) -> Result<Backlog, BenchOrdersError> {
    let worker = options.processes.iter().find(|one| one.name == WORKER);
    let mut memory: Vec<Memory> = options.processes.iter().map(Memory::begin).collect();
    let frozen = worker.map(Frozen::new).transpose()?;
    place(options, shop).await?;
    let orders = books.open_orders().await?;
    for (process, memory) in options.processes.iter().zip(&mut memory) {
        memory.full = process.resident_bytes().unwrap_or_default();
        memory.peak = memory.full;
    }
    drop(frozen);
    let begun = Instant::now();
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        for (process, memory) in options.processes.iter().zip(&mut memory) {
            memory.after = process.resident_bytes().unwrap_or_default();
            memory.peak = memory.peak.max(memory.after);
        }
        let open = books.open_orders().await?;
        if open == 0 {
            break;
        }
        if begun.elapsed() > LIMIT {
            let seconds = LIMIT.as_secs();
            return Err(BenchOrdersError::NotSettled { open, seconds });
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Backlog {
        orders,
        seconds,
        orders_per_second: orders as f64 / seconds,
        memory,
    })
}

/// As fast as they are accepted.
async fn place(options: &Options, shop: &Arc<Shop>) -> Result<(), BenchOrdersError> {
    let left = Arc::new(AtomicU64::new(options.backlog));
    let mut placers = JoinSet::new();
    for number in 0..options.placers {
        let (shop, left) = (Arc::clone(shop), Arc::clone(&left));
        placers.spawn(async move {
            let mut random = StdRng::seed_from_u64(number as u64);
            let take = |left: u64| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
            {
                let own = StdRng::from_rng(&mut random);
                // Whether they were enough is counted in the books.
                let _ = Operation::PlaceOrderRest.perform(&shop, own).await;
            }
        });
    }
    while let Some(ended) = placers.join_next().await {
        ended?;
    }
    Ok(())
}

impl Memory {
    fn begin(process: &ProcessTarget) -> Self {
        let before = process.resident_bytes().unwrap_or_default();
        Self {
            process: process.name.clone(),
            before,
            full: before,
            peak: before,
            after: before,
        }
    }
}

/// A process that stands still until this is dropped.
struct Frozen(u32);

impl Frozen {
    fn new(process: &ProcessTarget) -> Result<Self, BenchOrdersError> {
        signal("-STOP", process.pid).map_err(BenchOrdersError::Signal)?;
        Ok(Self(process.pid))
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if let Err(error) = signal("-CONT", self.0) {
            eprintln!("process {} can't be continued: {error}", self.0);
        }
    }
}

fn signal(name: &str, pid: u32) -> std::io::Result<()> {
    let mut kill = Command::new("kill");
    kill.args([name, &pid.to_string()]);
    let status = kill.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(std::io::Error::other(format!("kill ended with {status}")))
    }
}
