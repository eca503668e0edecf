//! `cargo xtask load`: builds release, starts the system on private ports, loads and audits it,
//! and stops everything.

pub mod launcher;
pub mod setup;
pub mod system;

use std::process::Command;

use crate::command::{Failure, capture, cargo, execute};
use crate::stages::Stages;
use crate::workspace;
use system::{Mode, System};

/// The status of `loadtests` for a run that measured the generator, not the system.
const GENERATOR_LATE: i32 = 3;
/// Whoever shares the machine can make the generator late, so such a run is made again, at most
/// this often; it never counts as passed.
const TRIES: u32 = 3;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The profile, for example smoke or baseline (`loadtests run --help` lists them).
    profile: String,
    /// One process on SQLite (the default).
    #[arg(long, conflicts_with = "distributed")]
    embedded: bool,
    /// A process for each role, on PostgreSQL, Redis and RabbitMQ.
    #[arg(long)]
    distributed: bool,
    /// Handed on to `loadtests run`, for example --rate 100 --duration 10.
    #[arg(last = true)]
    more: Vec<String>,
}

/// Runs the stages, and prints how each went.
///
/// # Errors
/// When a stage failed, among them a missed threshold.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mode = if arguments.distributed {
        Mode::Distributed
    } else {
        Mode::Embedded
    };
    let mut stages = Stages::default();
    if stages.run("build", build(&[])).await.is_some()
        && let Some(system) = stages.run("start", System::start(mode)).await
    {
        stages.run("load", load(arguments, &system)).await;
        stages.run("stop", system.stop()).await;
    }
    stages.finish()
}

/// The release executables of the system and of the generator, and those of more packages.
///
/// # Errors
/// When cargo fails.
pub async fn build(more: &[&str]) -> Result<(), Failure> {
    let mut command = cargo();
    command.args([
        "build",
        "--release",
        "--locked",
        "--package",
        "plumbline",
        "--package",
        "loadtests",
    ]);
    command.args(more.iter().flat_map(|package| ["--package", package]));
    execute(&mut command).await
}

/// The generator runs the audit when the last order has settled, and counts it as a threshold.
async fn load(arguments: &Arguments, system: &System) -> Result<(), Failure> {
    let target = workspace::metadata()?.target_directory;
    let mut command = Command::new(target.join("release/loadtests"));
    command.args(["run", &arguments.profile]);
    command.args(["--mode", system.mode.name(), "--commit", &commit()]);
    command.args([
        "--auth-url",
        &system.auth_url,
        "--gateway-url",
        &system.gateway_url,
    ]);
    command.args(["--pids", &system.process_ids()]);
    command.args(["--audit-command", &system.audit_command]);
    command
        .arg("--report-dir")
        .arg(target.join("load"))
        .args(&arguments.more);
    // For the auditor, which reads the same databases.
    launcher::configure(&mut command, &system.settings);
    for _ in 1..TRIES {
        match execute(&mut command).await {
            Err(Failure::Command { status, .. }) if status.code() == Some(GENERATOR_LATE) => {
                eprintln!("the run is void and made again: the generator was late");
            }
            done => return done,
        }
    }
    execute(&mut command).await
}

/// What is measured, for the report.
#[must_use]
pub fn commit() -> String {
    let mut command = Command::new("git");
    command
        .args(["describe", "--always", "--dirty"])
        .current_dir(workspace::root());
    let described =
        capture(&mut command).map(|name| String::from_utf8_lossy(&name).trim().to_owned());
    described.unwrap_or_else(|_| "unknown".to_owned())
}
