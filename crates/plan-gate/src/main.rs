//! `plan-gate`: what `cargo xtask plans` runs.

#![allow(clippy::print_stdout, reason = "a command-line tool speaks there")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plan_gate::{Gate, GateError};

/// Explains every statement over a large data set.
#[derive(Debug, Parser)]
struct Arguments {
    /// A superuser's URL of a maintenance database. Two databases are created beside it, and
    /// dropped at the end.
    #[arg(long)]
    server: String,
    /// The folder of the plans on file.
    #[arg(long)]
    plans: PathBuf,
    /// What a run of the suites has recorded (PLUMBLINE_RECORD_STATEMENTS).
    #[arg(long)]
    recorded: Option<PathBuf>,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Print each statement on file, its plan, and what it did with arguments out of the data.
    Show {
        /// Only statements that contain this.
        filter: Option<String>,
    },
    /// Fail when a plan has a problem, differs from that on file, or is not on file.
    Check,
    /// Write the files.
    Write {
        /// Without the statements that were not recorded.
        #[arg(long)]
        prune: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), GateError> {
    let mut gate = Gate::open(&arguments.server, &arguments.plans, plan_gate::rows).await?;
    if let Some(recorded) = &arguments.recorded {
        gate.add_recorded(recorded).await?;
    }
    match arguments.task {
        Task::Show { filter } => gate.show(filter.as_deref().unwrap_or_default()).await,
        Task::Check => gate.check(),
        Task::Write { prune } => gate.write(prune),
    }
}
