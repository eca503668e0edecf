use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    plumbline::run(plumbline::cli::Arguments::parse()).await
}
