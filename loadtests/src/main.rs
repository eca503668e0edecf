//! `loadtests run PROFILE`: see the library for how it measures.

use std::process::ExitCode;

use clap::Parser;
use loadtests::cli::{Arguments, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Run(arguments) = Arguments::parse().command;
    match loadtests::cli::run(arguments).await {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => {
            eprintln!("{}", loadtests::cli::explain(&error));
            ExitCode::from(loadtests::cli::CANNOT_RUN)
        }
    }
}
