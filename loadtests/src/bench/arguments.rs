use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::{Clock as _, SystemClock};
use url::Url;

use super::{BenchError, BenchOptions, HashParams, Report};
use crate::cli::{at_least_one, http_url, seconds};
use crate::run::Mode;
use crate::shop::client::Targets;
use crate::shop::shopper::Credentials;

#[derive(Debug, clap::Args)]
pub struct BenchArguments {
    /// Origin that serves /auth/v1.
    #[arg(long, default_value = "http://localhost:8080", value_parser = http_url)]
    auth_url: Url,
    /// Seconds of each phase.
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    phase: Duration,
    /// How often all phases are gone through.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    rounds: usize,
    #[command(flatten)]
    hashing: HashParams,
    /// Where the figures go, as JSON.
    #[arg(long, value_name = "FILE", default_value = "target/bench-auth.json")]
    report: PathBuf,
    /// How the system was started; the report says it.
    #[arg(long, value_enum, default_value = "embedded")]
    mode: Mode,
    /// What was built; the report says it.
    #[arg(long, value_name = "HASH", default_value = "unknown")]
    commit: String,
    /// End with the status 1 when an aim is missed.
    #[arg(long)]
    check: bool,
    /// Who logs in.
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

/// Why `loadtests bench-auth` has no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchFailed {
    #[error(transparent)]
    Bench(#[from] BenchError),
    #[error("cannot write the report to {file}")]
    Report { file: PathBuf, source: io::Error },
}

/// Measures, writes the report and prints a table. Says whether the aims matter and are met, or
/// do not matter.
///
/// # Errors
/// When nothing can be measured, or the report cannot be written.
pub async fn run(arguments: BenchArguments) -> Result<bool, BenchFailed> {
    let started_at: DateTime<Utc> = SystemClock.now();
    let options = BenchOptions {
        targets: Targets {
            gateway: arguments.auth_url.clone(),
            auth: arguments.auth_url,
        },
        user: Credentials {
            email: arguments.email,
            password: arguments.password,
        },
        hashing: arguments.hashing,
        phase: arguments.phase,
        rounds: arguments.rounds,
    };
    let rounds = super::run(&options).await?;
    let report = Report::new(
        &options,
        arguments.mode,
        arguments.commit,
        started_at,
        rounds,
    );
    let file = arguments.report;
    let json = report.json().map_err(io::Error::from);
    let written = json.and_then(|json| fs::write(&file, json));
    // Nobody may be reading any more; the file is written.
    let text = report.text();
    let _ = writeln!(io::stdout(), "{text}report: {}", file.display());
    written.map_err(|source| BenchFailed::Report { file, source })?;
    Ok(!arguments.check || report.is_as_aimed())
}
