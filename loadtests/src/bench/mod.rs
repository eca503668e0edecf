//! What authentication costs, against what it must cost: log-ins against bare Argon2id on the same
//! cores, and what a flood of log-ins does to everybody else.
//!
//! The machine is never quiet, so everything is measured several times by turns, and what is
//! compared was measured a moment apart: the figures are medians over the rounds, and ratios are
//! taken within a round.

mod arguments;
mod hashing;
mod phases;
mod rate;
mod report;

use std::time::Duration;

use crate::failure::Failure;
use crate::shop::client::{ShopClient, Targets};
use crate::shop::shopper::{Credentials, Shopper};

pub use arguments::{BenchArguments, BenchFailed, run as run_command};
pub use hashing::{HashParams, UnusableParams};
pub use phases::Latencies;
pub(crate) use rate::median;
pub use report::{Aim, Bound, Report};

/// Log-ins under way at once when their rate is measured: enough that the next hash is always
/// waiting, and fewer than the service lets wait.
const LOG_INS_AT_ONCE: usize = 16;
/// Sessions that are refreshed.
const SESSIONS: usize = 16;
/// Of refreshes, and of questions for health, while their latency is measured.
const PROBES_PER_SECOND: f64 = 50.0;
/// Log-ins that a flood asks for, for each that could be answered.
const FLOOD: f64 = 3.0;

#[derive(Clone, Debug)]
pub struct BenchOptions {
    pub targets: Targets,
    /// Who logs in.
    pub user: Credentials,
    /// What the system hashes with.
    pub hashing: HashParams,
    /// Of each phase of a round.
    pub phase: Duration,
    pub rounds: usize,
}

/// One turn of all phases. Rates are per second.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Round {
    pub hash_rate: f64,
    pub log_in_rate: f64,
    pub refresh_rate: f64,
    pub quiet: Latencies,
    pub flood: Latencies,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
    #[error(transparent)]
    Hashing(#[from] UnusableParams),
    #[error("the system refused what it should have done")]
    Refused(#[from] Failure),
    #[error("a task of the generator panicked")]
    Task(#[from] tokio::task::JoinError),
    #[error("a phase is too short, or a rate out of range")]
    Schedule(#[from] crate::schedule::ScheduleError),
    #[error("fewer than two answers came in a phase: make it longer")]
    TooFew,
}

/// Measures a running system that nobody else uses.
///
/// # Errors
/// When the system refuses what is measured, or answers nothing at all.
pub async fn run(options: &BenchOptions) -> Result<Vec<Round>, BenchError> {
    let client = ShopClient::new(options.targets.clone()).map_err(BenchError::Client)?;
    let mut sessions = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        sessions.push(Shopper::log_in(&client, options.user.clone()).await?);
    }
    let bench = phases::Bench::new(client, options.user.clone(), sessions);
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        eprintln!("round {number} of {}", options.rounds);
        rounds.push(round(&bench, options).await?);
    }
    Ok(rounds)
}

async fn round(bench: &phases::Bench, options: &BenchOptions) -> Result<Round, BenchError> {
    let phase = options.phase;
    let hash_rate = hashing::rate(options.hashing, phase).await?;
    let log_in_rate = bench.log_in_rate(LOG_INS_AT_ONCE, phase).await?;
    let refresh_rate = bench.refresh_rate(phase).await?;
    let quiet = bench.latencies(PROBES_PER_SECOND, None, phase).await?;
    let flood = Some(FLOOD * hash_rate);
    let flood = bench.latencies(PROBES_PER_SECOND, flood, phase).await?;
    Ok(Round {
        hash_rate,
        log_in_rate,
        refresh_rate,
        quiet,
        flood,
    })
}
