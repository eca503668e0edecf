use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::cases::Case;
use super::connection::Connection;
use super::{BenchGatewayError, Measured};
use crate::processes::{ProcessTarget, usage_of};

/// Before each measurement: connections are made, plans and documents are remembered.
const WARM_UP: Duration = Duration::from_millis(500);
/// A minute, in microseconds.
const HIGHEST: u64 = 60_000_000;

/// Asks over so many connections for so long.
pub(super) async fn measure(
    case: &Case,
    connections: usize,
    duration: Duration,
) -> Result<Measured, BenchGatewayError> {
    check(case).await?;
    ask_until(case, connections, Instant::now() + WARM_UP).await?;
    let cpu_before = cpu_seconds(&case.server.process)?;
    let begun = Instant::now();
    let latencies = ask_until(case, connections, begun + duration).await?;
    let elapsed = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds(&case.server.process)? - cpu_before;
    let requests = latencies.len().max(1) as f64;
    let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Measured {
        case: case.name,
        requests_per_second: requests / elapsed,
        cpu_us: cpu * 1_000_000.0 / requests,
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
    })
}

fn cpu_seconds(process: &ProcessTarget) -> Result<f64, BenchGatewayError> {
    let usage = usage_of(process.pid);
    let usage = usage.map_err(|_| BenchGatewayError::Process(process.name.clone()))?;
    Ok(usage.cpu_s)
}

/// A fast answer that is wrong is none.
async fn check(case: &Case) -> Result<(), BenchGatewayError> {
    let network = |source| BenchGatewayError::Network {
        case: case.name,
        source,
    };
    let mut connection = Connection::open(&case.server.url).await.map_err(network)?;
    let (status, body) = connection.ask(&case.request).await.map_err(network)?;
    let text = String::from_utf8_lossy(body);
    let (piece, count) = case.expected;
    if status == 200 && text.matches(piece).count() == count && !text.contains("\"errors\":[{") {
        return Ok(());
    }
    let text: String = text.chars().take(300).collect();
    Err(BenchGatewayError::Answer {
        case: case.name,
        problem: format!("answered {status} {text}"),
    })
}

/// The latencies, in microseconds, of all requests that were sent before `end`.
pub(super) async fn ask_until(
    case: &Case,
    connections: usize,
    end: Instant,
) -> Result<Histogram<u64>, BenchGatewayError> {
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let (url, request) = (case.server.url.clone(), case.request.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&url).await?;
                let mut latencies = Vec::new();
                let mut sent = Instant::now();
                while sent < end {
                    let (status, _) = connection.ask(&request).await?;
                    if status != 200 {
                        return Err(std::io::Error::other(format!("answered {status}")));
                    }
                    let now = Instant::now();
                    latencies.push(now - sent);
                    sent = now;
                }
                Ok(latencies)
            })
        })
        .collect();
    #[expect(clippy::expect_used, reason = "the bounds are constants that it takes")]
    let mut all = Histogram::new_with_bounds(1, HIGHEST, 3).expect("valid bounds");
    for worker in workers {
        let latencies = worker.await?.map_err(|source| BenchGatewayError::Network {
            case: case.name,
            source,
        })?;
        for latency in latencies {
            all.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(HIGHEST));
        }
    }
    Ok(all)
}
