use std::process::ExitCode;

use clap::Parser;

/// Fewer page faults than the system's allocator under many short-lived requests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    plumbline::run(plumbline::cli::Arguments::parse()).await
}
