//! Orders a second, beside what PostgreSQL can commit.
//!
//! First a phase that does not count, after which the database looks at its tables (`ANALYZE`). Then
//! each round measures, a moment apart on the same servers:
//!
//! 1. `pgbench -N`: transactions a second of one update, one read and one insert, as many clients
//!    as we place orders at once. It is the yardstick: an order is several such transactions;
//! 2. **throughput**: orders are placed by REST as fast as they are answered, while at most
//!    [`Options::open`] of them are on their way; counted are those that were confirmed;
//! 3. **latency**: orders are placed on an open schedule at half that rate, and each counts from its
//!    state `PLACED` to its state `CONFIRMED`, by the system's own history.
//!
//! Then, if asked for, a **backlog**: orders are placed while the worker stands still, it goes on, and
//! everybody's memory is watched until the last order is confirmed. At the end the auditor has its word.

mod arguments;
mod backlog;
mod books;
mod pgbench;
mod phases;
mod report;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::audit::{AuditOutcome, audit};
use crate::processes::ProcessTarget;
use crate::shop::client::Targets;
use crate::shop::shopper::Credentials;
use crate::shop::{SetUpError, Shop};

pub use arguments::{BenchOrdersArguments, BenchOrdersFailed, run as run_command};
pub use backlog::{Backlog, Memory};
pub use phases::{Cost, Latency, Throughput};
pub use report::Report;

use books::Books;

#[derive(Clone, Debug)]
pub struct Options {
    pub targets: Targets,
    pub user: Credentials,
    /// Where the orders are kept, to look up when each was confirmed.
    pub orders_url: String,
    /// Absent where there is no PostgreSQL.
    pub pgbench: Option<Pgbench>,
    pub processes: Vec<ProcessTarget>,
    /// Of each phase of a round.
    pub phase: Duration,
    pub rounds: usize,
    /// Orders on their way at most.
    pub open: u64,
    /// Requests that place an order in flight.
    pub placers: usize,
    /// Orders that wait while the worker stands still. 0: no backlog is measured.
    pub backlog: u64,
    pub audit_command: String,
}

/// The program, and an initialised database on the same server.
#[derive(Clone, Debug)]
pub struct Pgbench {
    pub program: PathBuf,
    pub url: String,
}

/// One turn of all phases.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// Transactions a second.
    pub pgbench_tps: Option<f64>,
    pub throughput: Throughput,
    pub latency: Latency,
}

/// What everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub rounds: Vec<Round>,
    pub backlog: Option<Backlog>,
    pub audit: AuditOutcome,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchOrdersError {
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    #[error("the orders' database can't be read")]
    Books(#[from] sea_orm::DbErr),
    #[error("pgbench can't be run")]
    Pgbench(#[source] io::Error),
    #[error("pgbench said nothing of tps: {0}")]
    NoTps(String),
    #[error("the worker can't be stopped and continued")]
    Signal(#[source] io::Error),
    #[error("{open} orders were still on their way after {seconds} s")]
    NotSettled { open: u64, seconds: u64 },
    #[error("no order was confirmed")]
    Nothing,
    #[error("a task of the generator panicked")]
    Task(#[from] tokio::task::JoinError),
}

/// Measures a running system that nobody else uses.
///
/// # Errors
/// When it can't be reached, or doesn't confirm its orders.
pub async fn run(options: &Options) -> Result<Figures, BenchOrdersError> {
    let shop = Arc::new(Shop::set_up(options.targets.clone(), options.user.clone()).await?);
    let books = Books::open(&options.orders_url).await?;
    let over = CancellationToken::new();
    let _stop_helpers = over.clone().drop_guard();
    let fresh_shop = Arc::clone(&shop);
    tokio::spawn(async move { fresh_shop.keep_sessions_fresh(over).await });

    phases::throughput(options, &shop, &books).await?;
    books.analyze().await?;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let pgbench_tps = match &options.pgbench {
            Some(pgbench) => Some(pgbench::tps(pgbench, options).await?),
            None => None,
        };
        let throughput = phases::throughput(options, &shop, &books).await?;
        let rate = throughput.orders_per_second / 2.0;
        let latency = phases::latency(options, &shop, &books, rate).await?;
        eprintln!(
            "round {number} of {}: pgbench {:.0} tps; {:.1} orders/s; p50 {:.0} ms, p99 {:.0} ms at {rate:.1}/s",
            options.rounds,
            pgbench_tps.unwrap_or_default(),
            throughput.orders_per_second,
            latency.p50_ms,
            latency.p99_ms,
        );
        rounds.push(Round {
            pgbench_tps,
            throughput,
            latency,
        });
    }
    let backlog = if options.backlog > 0 {
        Some(backlog::drain(options, &shop, &books).await?)
    } else {
        None
    };
    Ok(Figures {
        rounds,
        backlog,
        audit: audit(&options.audit_command).await,
    })
}
