//! `loadtests run PROFILE` and `loadtests bench-auth`, `bench-gateway` and `bench-orders`: see the
//! library for how they measure.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use loadtests::cli::{Arguments, Command};

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => match loadtests::cli::run(*arguments).await {
            Ok(verdict) => ExitCode::from(verdict.exit_code()),
            Err(error) => cannot_run(&error),
        },
        Command::BenchAuth(arguments) => match loadtests::bench::run_command(*arguments).await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => cannot_run(&error),
        },
        Command::BenchGateway(arguments) => {
            match loadtests::bench_gateway::run_command(*arguments).await {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => cannot_run(&error),
            }
        }
        Command::BenchOrders(arguments) => {
            match loadtests::bench_orders::run_command(*arguments).await {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => cannot_run(&error),
            }
        }
    }
}

fn cannot_run(error: &dyn Error) -> ExitCode {
    eprintln!("{}", loadtests::cli::explain(error));
    ExitCode::from(loadtests::cli::CANNOT_RUN)
}
