//! `cargo xtask`: what a developer and CI run, the same on both.

#![allow(clippy::print_stdout, reason = "a command-line tool speaks there")]

mod architecture;
mod bench;
mod breaking_changes;
mod command;
mod drill;
mod fuzz_api;
mod generate;
mod install;
mod load;
mod npm;
mod openapi;
mod plans;
mod python;
mod services;
mod stages;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::command::Failure;

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the suite over both modes, on servers of the environment or private ones.
    Test(test::Arguments),
    /// Start the system, load it, audit it, and judge the result.
    Load(load::Arguments),
    /// Break what the system depends on while customers order, and see whether every promise holds.
    Drill(drill::Arguments),
    /// Measure a part of the system against what it must cost.
    #[command(subcommand)]
    Bench(bench::Benchmark),
    /// Start private PostgreSQL, Redis and RabbitMQ until Ctrl-C, to run single tests by hand.
    Services,
    /// Write the files that are derived from the code.
    Generate(generate::Arguments),
    /// Print what PostgreSQL does for every statement over a large data set, or check or write
    /// docs/plans.
    Plans(plans::Arguments),
    /// Compare the public interfaces with those last released.
    BreakingChanges(breaking_changes::Arguments),
    /// Call every operation of the OpenAPI documents with whatever schemathesis thinks of.
    FuzzApi(fuzz_api::Arguments),
    /// Check the architecture invariants over crate dependencies and paths in the sources.
    Architecture,
}

#[tokio::main]
async fn main() -> ExitCode {
    let task = Arguments::parse().task;
    // Dropping the task ends everything that it started.
    let outcome = tokio::select! {
        outcome = run(task) => outcome,
        signal = interrupted() => {
            eprintln!("\n{signal}: everything that was started has ended");
            return ExitCode::from(130);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> Result<(), Failure> {
    match task {
        Task::Test(arguments) => test::run(&arguments).await,
        Task::Load(arguments) => load::run(&arguments).await,
        Task::Drill(arguments) => drill::run(&arguments).await,
        Task::Bench(benchmark) => bench::run(&benchmark).await,
        Task::Services => services::run().await,
        Task::Generate(arguments) => generate::run(&arguments).await,
        Task::Plans(arguments) => plans::run(&arguments).await,
        Task::BreakingChanges(arguments) => breaking_changes::run(&arguments).await,
        Task::FuzzApi(arguments) => fuzz_api::run(&arguments).await,
        Task::Architecture => architecture::run(),
    }
}

/// Returns the name of the first signal that asks us to end. Never, if none can be listened to:
/// the guards of the processes then do the work.
async fn interrupted() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "interrupted",
        _ = terminate.recv() => "terminated",
        _ = hang_up.recv() => "hung up",
    }
}
