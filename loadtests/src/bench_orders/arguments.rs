use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use kernel::{Clock as _, SystemClock};
use url::Url;

use super::{BenchOrdersError, Options, Pgbench, Report};
use crate::cli::{at_least_one, http_url, seconds};
use crate::processes::ProcessTarget;
use crate::run::Mode;
use crate::shop::client::Targets;
use crate::shop::shopper::Credentials;

#[derive(Debug, clap::Args)]
pub struct BenchOrdersArguments {
    /// Origin that serves /auth/v1.
    #[arg(long, value_parser = http_url)]
    auth_url: Url,
    /// Origin that serves /v1.
    #[arg(long, value_parser = http_url)]
    gateway_url: Url,
    /// The orders' database, which is only read.
    #[arg(long, value_name = "URL")]
    orders_url: String,
    /// The program pgbench, for the yardstick.
    #[arg(long, value_name = "FILE", requires = "pgbench_url")]
    pgbench: Option<PathBuf>,
    /// A database on the same server that `pgbench -i` has filled.
    #[arg(long, value_name = "URL")]
    pgbench_url: Option<String>,
    /// Processes whose CPU and memory to report.
    #[arg(long, value_name = "NAME=PID", value_delimiter = ',')]
    pids: Vec<ProcessTarget>,
    /// Seconds of each phase.
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    phase: Duration,
    /// How often all phases are gone through.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one)]
    rounds: usize,
    /// Orders on their way at most.
    #[arg(long, value_name = "N", default_value_t = 256)]
    open: u64,
    /// Requests in flight that place an order, and clients of pgbench.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = at_least_one)]
    placers: usize,
    /// Then let so many orders wait, and watch everybody's memory while they are worked off.
    #[arg(long, value_name = "N", default_value_t = 0)]
    backlog: u64,
    /// Shell command that audits the system at the end.
    #[arg(long, value_name = "COMMAND")]
    audit_command: String,
    /// Where the figures go, as JSON.
    #[arg(long, value_name = "FILE", default_value = "target/bench-orders.json")]
    report: PathBuf,
    /// How the system was started; the report says it.
    #[arg(long, value_enum, default_value = "distributed")]
    mode: Mode,
    /// What was built; the report says it.
    #[arg(long, value_name = "HASH", default_value = "unknown")]
    commit: String,
    /// End with the status 1 when an aim is missed.
    #[arg(long)]
    check: bool,
    /// Who orders.
    #[arg(long, default_value = "customer@example.com")]
    email: String,
    #[arg(
        long,
        env = "LOADTESTS_PASSWORD",
        hide_env_values = true,
        default_value = "plumbline-demo-password"
    )]
    password: String,
}

/// Why `loadtests bench-orders` has no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchOrdersFailed {
    #[error(transparent)]
    Bench(#[from] BenchOrdersError),
    #[error("cannot write the report to {file}")]
    Report { file: PathBuf, source: io::Error },
}

/// Measures, writes the report and prints a table. Says whether the audit is green, and the aims
/// are met or do not matter.
///
/// # Errors
/// When nothing can be measured, or the report cannot be written.
pub async fn run(arguments: BenchOrdersArguments) -> Result<bool, BenchOrdersFailed> {
    let started_at = SystemClock.now();
    let pgbench = arguments.pgbench.zip(arguments.pgbench_url);
    let options = Options {
        targets: Targets {
            auth: arguments.auth_url,
            gateway: arguments.gateway_url,
        },
        user: Credentials {
            email: arguments.email,
            password: arguments.password,
        },
        orders_url: arguments.orders_url,
        pgbench: pgbench.map(|(program, url)| Pgbench { program, url }),
        processes: arguments.pids,
        phase: arguments.phase,
        rounds: arguments.rounds,
        open: arguments.open,
        placers: arguments.placers,
        backlog: arguments.backlog,
        audit_command: arguments.audit_command,
    };
    let figures = super::run(&options).await?;
    let report = Report::new(
        &options,
        arguments.mode,
        arguments.commit,
        started_at,
        figures,
    );
    let file = arguments.report;
    let json = report.json().map_err(io::Error::from);
    let written = json.and_then(|json| fs::write(&file, json));
    // Nobody may be reading any more; the file is written.
    let text = report.text();
    let _ = writeln!(io::stdout(), "{text}report: {}", file.display());
    written.map_err(|source| BenchOrdersFailed::Report { file, source })?;
    Ok(report.figures.audit.green && (!arguments.check || report.is_as_aimed()))
}
