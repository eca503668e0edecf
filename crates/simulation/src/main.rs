//! `cargo run -p simulation -- --help`

#![allow(clippy::print_stdout, reason = "a command-line tool speaks there")]

use std::process::ExitCode;

use clap::Parser;
use simulation::{Guard, Options, explore};

/// Runs the saga through schedules of messages that overtake each other, come twice or not at all,
/// workers that are killed at every step, and lost answers. Prints the first that breaks an
/// invariant, shrunk, as a sequence diagram.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many seeds are tried.
    #[arg(long, default_value_t = 100_000)]
    runs: u64,
    /// Take a safeguard away, to see that the simulation misses it.
    #[arg(long, value_enum)]
    without: Option<Guard>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options {
        without: arguments.without,
        ..Options::default()
    };
    let seeds = arguments.seed..arguments.seed.saturating_add(arguments.runs);
    for seed in seeds {
        if let Some(found) = explore(seed, &options) {
            println!("seed {}: {}", found.seed, found.breach);
            println!("{} actions:", found.schedule.len());
            for action in &found.schedule {
                println!("  {action:?}");
            }
            println!("\n{}", found.diagram);
            return ExitCode::FAILURE;
        }
    }
    println!("{} schedules, no breach", arguments.runs);
    ExitCode::SUCCESS
}
