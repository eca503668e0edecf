//! Why the generator is what it is: a server that stalls must not look healthy.

use std::time::{Duration, Instant};

use loadtests::latency::{LatencyHistogram, Percentile};
use loadtests::operations::Operation;
use loadtests::profile::Profile;
use loadtests::schedule::Stage;
use loadtests::thresholds::{Threshold, Verdict};

use super::options;
use super::stub::{Behaviour, Stub};

const RATE: f64 = 100.0;
const SECONDS: u64 = 3;
const STALL: Duration = Duration::from_millis(600);
const LIMIT: Duration = Duration::from_millis(200);

const BROWSING: Profile = Profile {
    name: "browsing",
    summary: "product lists only",
    stages: &[Stage::new(RATE, Duration::from_secs(SECONDS))],
    mix: &[(Operation::BrowseRest, 1)],
    audience: None,
    thresholds: &[Threshold::PercentileBelow(Percentile::P95, LIMIT)],
};

/// Answers at once, but for one stall in the middle.
fn stalling() -> Stub {
    Stub::start(Behaviour {
        stall: Some((100, STALL)),
        ..Behaviour::default()
    })
}

/// A fifth of the requests come due during the stall. The slowest 5 % of all waited for three
/// quarters of it or more.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_schedule_sees_the_stall_and_fails_its_threshold() {
    let stub = stalling();
    let report = loadtests::run::run(options(BROWSING, &stub, RATE, SECONDS))
        .await
        .unwrap();
    let p95 = report.measurements.latency.p95_ms;
    let stall = STALL.as_secs_f64() * 1000.0;
    assert!(p95 > stall * 0.6, "p95 is {p95} ms, the stall {stall} ms");
    assert!(!report.thresholds[0].met);
    assert_ne!(report.verdict, Verdict::Passed);
    assert_eq!(report.measurements.failed, 0);
}

/// The usual way: one user, one request at a time, latency from its sending. One request meets the
/// stall; those that it held up are never made, and the threshold is met.
#[tokio::test(flavor = "multi_thread")]
async fn closed_model_counting_would_have_passed_the_same_server() {
    let stub = stalling();
    let url = stub.url().join("/v1/products").unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut latencies = LatencyHistogram::precise();
    let start = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / RATE));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while start.elapsed() < Duration::from_secs(SECONDS) {
        pace.tick().await;
        let sent = Instant::now();
        http.get(url.clone())
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        latencies.record(sent.elapsed());
    }
    let latencies = latencies.summary();
    assert!(
        latencies.max_ms >= 500.0,
        "the stall was met once: {} ms",
        latencies.max_ms
    );
    assert!(
        latencies.p95_ms < LIMIT.as_secs_f64() * 1000.0,
        "p95 is {} ms",
        latencies.p95_ms
    );
}
