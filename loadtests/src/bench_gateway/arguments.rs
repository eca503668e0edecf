use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use kernel::{Clock as _, SystemClock};
use url::Url;

use super::{BenchGatewayError, Options, Report, Server, Servers};
use crate::cli::{at_least_one, http_url, seconds};
use crate::processes::ProcessTarget;
use crate::shop::shopper::Credentials;

#[derive(Debug, clap::Args)]
pub struct BenchGatewayArguments {
    /// Origin that serves /auth/v1.
    #[arg(long, value_parser = http_url)]
    auth_url: Url,
    /// The servers, in the order gateway, (b), (c), (d): address and process.
    #[arg(long, value_name = "URL=PID", value_delimiter = ',', value_parser = server)]
    servers: Vec<Server>,
    /// Seconds of each case in a round.
    #[arg(long, value_name = "S", default_value = "4", value_parser = seconds)]
    phase: Duration,
    /// How often all cases are gone through.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    rounds: usize,
    /// Connections, each with one request in flight.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = at_least_one)]
    connections: usize,
    /// Then send the gateway so many requests, and watch its memory.
    #[arg(long, value_name = "N", default_value_t = 0)]
    soak: u64,
    /// Where the figures go, as JSON.
    #[arg(long, value_name = "FILE", default_value = "target/bench-gateway.json")]
    report: PathBuf,
    /// What was built; the report says it.
    #[arg(long, value_name = "HASH", default_value = "unknown")]
    commit: String,
    /// End with the status 1 when an aim is missed.
    #[arg(long)]
    check: bool,
    /// Whose orders are read.
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

/// Why `loadtests bench-gateway` has no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchGatewayFailed {
    #[error(transparent)]
    Bench(#[from] BenchGatewayError),
    #[error("four servers are compared")]
    Servers,
    #[error("cannot write the report to {file}")]
    Report { file: PathBuf, source: io::Error },
}

fn server(text: &str) -> Result<Server, String> {
    let (url, pid) = text.rsplit_once('=').ok_or("expected URL=PID")?;
    let pid = pid
        .parse()
        .map_err(|_| "expected a process id".to_owned())?;
    Ok(Server {
        url: http_url(url)?,
        process: ProcessTarget {
            name: url.to_owned(),
            pid,
        },
    })
}

/// Measures, writes the report and prints a table. Says whether the aims matter and are met, or
/// do not matter.
///
/// # Errors
/// When nothing can be measured, or the report cannot be written.
pub async fn run(arguments: BenchGatewayArguments) -> Result<bool, BenchGatewayFailed> {
    let started_at = SystemClock.now();
    let servers = <[Server; 4]>::try_from(arguments.servers);
    let [gateway, graphql, json, postgres] = servers.map_err(|_| BenchGatewayFailed::Servers)?;
    let options = Options {
        servers: Servers {
            gateway,
            graphql,
            json,
            postgres,
        },
        auth_url: arguments.auth_url,
        user: Credentials {
            email: arguments.email,
            password: arguments.password,
        },
        phase: arguments.phase,
        rounds: arguments.rounds,
        connections: arguments.connections,
        soak: arguments.soak,
    };
    let figures = super::run(&options).await?;
    let phase_s = options.phase.as_secs_f64();
    let commit = arguments.commit;
    let report = Report::new(commit, started_at, options.connections, phase_s, figures);
    let file = arguments.report;
    let json = report.json().map_err(io::Error::from);
    let written = json.and_then(|json| fs::write(&file, json));
    // Nobody may be reading any more; the file is written.
    let text = report.text();
    let _ = writeln!(io::stdout(), "{text}report: {}", file.display());
    written.map_err(|source| BenchGatewayFailed::Report { file, source })?;
    Ok(!arguments.check || report.is_as_aimed())
}
