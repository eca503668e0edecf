//! The gateway beside servers that do one thing of it and nothing around it, on the same machine
//! and the same PostgreSQL:
//!
//! - (a) the gateway, authenticated, all layers on;
//! - (b) actix-web, async-graphql and sea-orm as they come, answering the same documents;
//! - (c) a handler that writes one product as JSON;
//! - (d) actix-web and tokio-postgres: one row as JSON.
//!
//! A **closed loop**: so many connections, each of which asks again as soon as it is answered, so
//! that the rate is what the machine can do with generator and database beside the server. The
//! servers are measured by turns, several times; the figures are medians over the rounds, and ratios
//! are taken within a round. Processor time comes from `/proc/PID/stat` of the server alone.

mod arguments;
mod attacks;
mod cases;
mod closed_loop;
mod connection;
mod report;
mod shelf;
mod soak;

use std::io;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::failure::Failure;
use crate::processes::ProcessTarget;
use crate::shop::client::ShopClient;
use crate::shop::shopper::{Credentials, Shopper};

pub use arguments::{BenchGatewayArguments, BenchGatewayFailed, run as run_command};
pub use attacks::Refused;
pub use report::Report;
pub use soak::SoakPoint;

/// A server that is measured.
#[derive(Clone, Debug)]
pub struct Server {
    pub url: Url,
    pub process: ProcessTarget,
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct Servers {
    pub gateway: Server,
    /// (b)
    pub graphql: Server,
    /// (c)
    pub json: Server,
    /// (d)
    pub postgres: Server,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub servers: Servers,
    pub auth_url: Url,
    pub user: Credentials,
    /// Of each case in a round.
    pub phase: Duration,
    pub rounds: usize,
    /// Connections, each with one request in flight.
    pub connections: usize,
    /// Requests after the rounds, during which the gateway's memory is watched. 0: none.
    pub soak: u64,
}

/// What one case of one round measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub case: &'static str,
    pub requests_per_second: f64,
    /// Of the server, for each request, in microseconds.
    pub cpu_us: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// What everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub rounds: Vec<Vec<Measured>>,
    pub attacks: Vec<Refused>,
    pub soak: Vec<SoakPoint>,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchGatewayError {
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
    #[error("the system refused what it should have done")]
    Refused(#[from] Failure),
    #[error("{0} orders did not end well")]
    Orders(usize),
    #[error("{case}: the server can't be reached")]
    Network {
        case: &'static str,
        source: io::Error,
    },
    #[error("{case}: {problem}")]
    Answer { case: &'static str, problem: String },
    #[error("the process of {0} is gone")]
    Process(String),
    #[error("a task of the generator panicked")]
    Task(#[from] tokio::task::JoinError),
}

/// Measures running servers that nobody else uses.
///
/// # Errors
/// When one of them refuses what is measured.
pub async fn run(options: &Options) -> Result<Figures, BenchGatewayError> {
    let targets = crate::shop::client::Targets {
        auth: options.auth_url.clone(),
        gateway: options.servers.gateway.url.clone(),
    };
    let client = ShopClient::new(targets).map_err(BenchGatewayError::Client)?;
    let shopper = Shopper::log_in(&client, options.user.clone()).await?;
    let shelf = shelf::fill(&client, &shopper).await?;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        eprintln!("round {number} of {}", options.rounds);
        // A token lives for minutes: each round has a new one.
        shopper.refresh(&client).await?;
        let cases = cases::all(&options.servers, &shelf, &shopper.access_token());
        let mut round = Vec::with_capacity(cases.len());
        for case in &cases {
            round.push(closed_loop::measure(case, options.connections, options.phase).await?);
        }
        rounds.push(round);
    }
    Ok(Figures {
        rounds,
        attacks: attacks::run(&options.servers.gateway).await?,
        soak: soak::run(options, &client, &shopper, &shelf).await?,
    })
}
