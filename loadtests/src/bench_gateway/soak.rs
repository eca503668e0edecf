//! Memory over many requests.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::closed_loop::ask_until;
use super::shelf::Shelf;
use super::{BenchGatewayError, Options, cases};
use crate::processes::usage_of;
use crate::shop::client::ShopClient;
use crate::shop::shopper::Shopper;

const PART: Duration = Duration::from_secs(5);

/// The gateway's resident memory after so many requests.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SoakPoint {
    pub requests: u64,
    pub resident_bytes: u64,
}

/// All cases of the gateway by turns, until there were so many requests.
pub(super) async fn run(
    options: &Options,
    client: &ShopClient,
    shopper: &Shopper,
    shelf: &Shelf,
) -> Result<Vec<SoakPoint>, BenchGatewayError> {
    let mut points = Vec::new();
    if options.soak == 0 {
        return Ok(points);
    }
    let process = &options.servers.gateway.process;
    let mut requests = 0;
    loop {
        let usage = usage_of(process.pid);
        let usage = usage.map_err(|_| BenchGatewayError::Process(process.name.clone()))?;
        points.push(SoakPoint {
            requests,
            resident_bytes: usage.resident_bytes,
        });
        eprintln!("{requests} requests: {} KiB", usage.resident_bytes / 1024);
        if requests >= options.soak {
            return Ok(points);
        }
        shopper.refresh(client).await?;
        for case in cases::all(&options.servers, shelf, &shopper.access_token()) {
            if case.server.process == *process {
                let end = Instant::now() + PART;
                requests += ask_until(&case, options.connections, end).await?.len();
            }
        }
    }
}
