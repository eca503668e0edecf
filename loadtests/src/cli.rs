//! The command line.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};
use url::Url;

use crate::bench::BenchArguments;
use crate::bench_gateway::BenchGatewayArguments;
use crate::bench_orders::BenchOrdersArguments;
use crate::processes::ProcessTarget;
use crate::profile::{PROFILES, Profile};
use crate::report::{self, Report};
use crate::run::{self, Mode, RunError, RunOptions};
use crate::schedule::{Schedule, ScheduleError};
use crate::shop::client::Targets;
use crate::shop::shopper::Credentials;
use crate::thresholds::Verdict;

/// Exit status of a run that could not be made; clap uses the same for a wrong command line.
pub const CANNOT_RUN: u8 = 2;

const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// Load tests of the shop on an open schedule.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a running system and judge it.
    ///
    /// Exit status: 0 every threshold met, 1 one missed, 2 the run could not be made, 3 more than
    /// 1 % of the requests started late, so that the generator and not the system was measured.
    Run(Box<RunArguments>),
    /// Compare log-ins with bare hashing, and everybody's latency under a flood of them with quiet.
    ///
    /// Exit status: 0, 1 an aim missed with --check, 2 nothing could be measured.
    BenchAuth(Box<BenchArguments>),
    /// Compare the gateway with servers that do one thing of it and nothing around it.
    ///
    /// Exit status: 0, 1 an aim missed with --check, 2 nothing could be measured.
    BenchGateway(Box<BenchGatewayArguments>),
    /// Count confirmed orders beside what PostgreSQL can commit, and how long each took.
    ///
    /// Exit status: 0, 1 an aim missed with --check, 2 nothing could be measured.
    BenchOrders(Box<BenchOrdersArguments>),
}

#[derive(Debug, clap::Args)]
pub struct RunArguments {
    /// What to run.
    #[arg(value_parser = profile_names())]
    profile: String,
    /// Origin that serves /auth/v1.
    #[arg(long, default_value = "http://localhost:8080", value_parser = http_url)]
    auth_url: Url,
    /// Origin that serves /graphql and /v1.
    #[arg(long, default_value = "http://localhost:8080", value_parser = http_url)]
    gateway_url: Url,
    /// Peak requests a second, instead of the profile's.
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Seconds, instead of the profile's.
    #[arg(long, value_name = "S", value_parser = seconds)]
    duration: Option<Duration>,
    /// Processes whose CPU and memory to report.
    #[arg(long, value_name = "NAME=PID", value_delimiter = ',')]
    pids: Vec<ProcessTarget>,
    /// Where PROFILE-MODE.json and PROFILE-MODE.html go.
    #[arg(long, value_name = "DIR", default_value = "target/load")]
    report_dir: PathBuf,
    /// How the system was started; the report says it.
    #[arg(long, value_enum, default_value = "embedded")]
    mode: Mode,
    /// Repeats a sequence of operations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What was built; the report says it.
    #[arg(long, value_name = "HASH", default_value = "unknown")]
    commit: String,
    /// Shell command to run after the load; a status other than 0 misses a threshold.
    #[arg(long, value_name = "COMMAND")]
    audit_command: Option<String>,
    /// Bound on requests in flight: beyond it, slots wait and are reported.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = at_least_one)]
    max_in_flight: usize,
    /// Subscribers that wait in vain, in a profile with subscribers.
    #[arg(long, value_name = "N")]
    idle: Option<usize>,
    /// Subscribers that hear of every order, in such a profile.
    #[arg(long, value_name = "N")]
    listening: Option<usize>,
    /// Whose orders the idle ones wait for: somebody who places none. When the system does not know
    /// them, somebody registers instead.
    #[arg(long, default_value = "support@example.com")]
    idle_email: String,
    /// Who shops. When the system does not know them, new shoppers register instead.
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

/// Why `loadtests run` has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("there is no such profile")]
    Profile,
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("cannot write the report to {directory}")]
    Report {
        directory: PathBuf,
        source: io::Error,
    },
}

/// Makes the run, writes both reports and prints a summary.
///
/// # Errors
/// When the run cannot be made or its report cannot be written.
pub async fn run(arguments: RunArguments) -> Result<Verdict, CliError> {
    let directory = arguments.report_dir.clone();
    let report_error = |source| CliError::Report {
        directory: directory.clone(),
        source,
    };
    // Before the run: half an hour of load must not end in a missing folder.
    fs::create_dir_all(&directory).map_err(report_error)?;
    let options = arguments.into_options()?;
    eprintln!(
        "{}: {} requests in {:.0} s at up to {}/s",
        options.profile.name,
        options.schedule.slots(),
        options.schedule.duration().as_secs_f64(),
        options.schedule.peak_rate(),
    );
    let report = run::run(options).await?;
    let written = write(&report, &directory).map_err(report_error)?;
    let summary = format!(
        "{}\nreport: {}\n",
        report::text::summary(&report),
        written.display()
    );
    // Nobody may be reading any more; the files are written.
    let _ = io::stdout().write_all(summary.as_bytes());
    Ok(report.verdict)
}

/// The message with all its causes.
#[must_use]
pub fn explain(error: &dyn Error) -> String {
    let mut text = format!("loadtests: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Transparent errors repeat their source's words.
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

impl RunArguments {
    fn into_options(self) -> Result<RunOptions, CliError> {
        let mut profile = *Profile::find(&self.profile).ok_or(CliError::Profile)?;
        if let Some(audience) = &mut profile.audience {
            audience.idle = self.idle.unwrap_or(audience.idle);
            audience.listening = self.listening.unwrap_or(audience.listening);
        }
        let mut schedule = Schedule::new(profile.stages.to_vec())?;
        if let Some(rate) = self.rate {
            schedule = schedule.with_peak_rate(rate)?;
        }
        if let Some(duration) = self.duration {
            schedule = schedule.with_duration(duration)?;
        }
        Ok(RunOptions {
            profile,
            schedule,
            targets: Targets {
                auth: self.auth_url,
                gateway: self.gateway_url,
            },
            idle_user: Credentials {
                email: self.idle_email,
                password: self.password.clone(),
            },
            user: Credentials {
                email: self.email,
                password: self.password,
            },
            seed: self.seed,
            max_in_flight: self.max_in_flight,
            settle_limit: SETTLE_LIMIT,
            mode: self.mode,
            commit: self.commit,
            processes: self.pids,
            audit_command: self.audit_command,
            show_progress: true,
        })
    }
}

/// Writes both files and returns the path of the page.
fn write(report: &Report, directory: &Path) -> io::Result<PathBuf> {
    let name = report.file_name();
    fs::write(
        directory.join(format!("{name}.json")),
        report::json::render(report)?,
    )?;
    let page = directory.join(format!("{name}.html"));
    fs::write(&page, report::html::render(report))?;
    Ok(page)
}

fn profile_names() -> clap::builder::PossibleValuesParser {
    let value =
        |profile: &Profile| clap::builder::PossibleValue::new(profile.name).help(profile.summary);
    PROFILES.iter().map(value).collect::<Vec<_>>().into()
}

pub(crate) fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("expected http or https, not {other}")),
    }
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<RunOptions, CliError> {
        let line = ["loadtests", "run"].iter().chain(arguments);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Run(arguments) => (*arguments).into_options(),
            Command::BenchAuth(_) | Command::BenchGateway(_) | Command::BenchOrders(_) => {
                unreachable!("the line says run")
            }
        }
    }

    #[test]
    fn rate_and_duration_replace_the_profiles() {
        let options = options(&["smoke", "--rate", "50", "--duration", "6"]).unwrap();
        assert_eq!(options.schedule.slots(), 300);
        assert_eq!(options.schedule.peak_rate(), 50.0);
    }

    #[test]
    fn an_audience_is_as_large_as_asked_for() {
        let line = ["subscribers", "--idle", "5", "--listening", "2"];
        let audience = options(&line).unwrap().profile.audience.unwrap();
        assert_eq!((audience.idle, audience.listening), (5, 2));
        assert!(
            options(&["smoke", "--idle", "5"])
                .unwrap()
                .profile
                .audience
                .is_none()
        );
    }

    #[test]
    fn several_processes_are_separated_by_commas() {
        let options = options(&["smoke", "--pids", "gateway=1,worker=2"]).unwrap();
        assert_eq!(options.processes.len(), 2);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(
            options(&["smoke", "--rate", "0"]),
            Err(CliError::Schedule(_))
        ));
        assert!(matches!(
            options(&["smoke", "--duration", "0"]),
            Err(CliError::Schedule(_))
        ));
        for line in [
            &["nosuch"][..],
            &["smoke", "--gateway-url", "ftp://x"],
            &["smoke", "--duration", "-1"],
            &["smoke", "--max-in-flight", "0"],
            &["smoke", "--pids", "gateway"],
        ] {
            let line = ["loadtests", "run"].iter().chain(line);
            assert!(Arguments::try_parse_from(line).is_err());
        }
    }
}
