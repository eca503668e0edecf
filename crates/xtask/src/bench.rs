//! `cargo xtask bench`: builds release, starts the system on private ports and measures a part of
//! it against what it must cost.

use std::process::Command;

use crate::command::{Failure, execute};
use crate::load::launcher;
use crate::load::system::{Mode, System};
use crate::load::{build, commit};
use crate::stages::Stages;
use crate::workspace;

#[derive(Debug, clap::Subcommand)]
pub enum Benchmark {
    /// Log-ins against bare Argon2id, and everybody's latency under a flood of them against quiet;
    /// the figures go to target/bench-auth.json.
    Auth(Arguments),
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Fail when an aim is missed. Only a quiet machine measures the system and not its neighbours.
    #[arg(long)]
    check: bool,
    /// One process on SQLite (the default).
    #[arg(long, conflicts_with = "distributed")]
    embedded: bool,
    /// A process for each role, on PostgreSQL, Redis and RabbitMQ.
    #[arg(long)]
    distributed: bool,
    /// Handed on to `loadtests bench-auth`, for example --rounds 3 --phase 5.
    #[arg(last = true)]
    more: Vec<String>,
}

/// Runs the stages, and prints how each went.
///
/// # Errors
/// When a stage failed, among them, with `--check`, a missed aim.
pub async fn run(benchmark: &Benchmark) -> Result<(), Failure> {
    let Benchmark::Auth(arguments) = benchmark;
    let mode = if arguments.distributed {
        Mode::Distributed
    } else {
        Mode::Embedded
    };
    let mut stages = Stages::default();
    if stages.run("build", build()).await.is_some()
        && let Some(system) = stages.run("start", System::start(mode)).await
    {
        stages.run("bench", auth(arguments, &system)).await;
        stages.run("stop", system.stop()).await;
    }
    stages.finish()
}

async fn auth(arguments: &Arguments, system: &System) -> Result<(), Failure> {
    let target = workspace::metadata()?.target_directory;
    let mut command = Command::new(target.join("release/loadtests"));
    command.args(["bench-auth", "--auth-url", &system.auth_url]);
    command.args(["--mode", system.mode.name(), "--commit", &commit()]);
    command.arg("--report").arg(target.join("bench-auth.json"));
    if arguments.check {
        command.arg("--check");
    }
    command.args(&arguments.more);
    launcher::configure(&mut command, &system.settings);
    execute(&mut command).await
}
