//! Whether time tells what answers don't. A report, read with `--nocapture`: noise on a busy machine
//! is no defect, so that only a difference as gross as a hash that is left out fails the test.

#![allow(clippy::print_stdout, reason = "it is a report")]

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};

use crate::{enumeration::accounts, harness::TestApp};

const ROUNDS: usize = 25;
/// Of all pairs of a known and an unknown account, how many times the known one must have been the
/// slower or the faster one before it counts as told apart.
const TOLD_APART: f64 = 0.97;

/// The Mann–Whitney statistic as a probability: that a value of `left` is greater than one of
/// `right`. One half if they come from the same distribution.
fn probability_of_greater(left: &[f64], right: &[f64]) -> f64 {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
    let wins: f64 = pairs
        .map(|(a, b)| if a > b { 1.0 } else { f64::from(a == b) / 2.0 })
        .sum();
    wins / (left.len() * right.len()) as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Milliseconds by address. The states take turns, so that whatever else the machine does meets all.
async fn measure(
    app: &TestApp,
    path: &str,
    addresses: &[&'static str],
    body: impl Fn(&str) -> Value,
) -> BTreeMap<&'static str, Vec<f64>> {
    let mut times = BTreeMap::<_, Vec<_>>::new();
    for _ in 0..ROUNDS {
        for address in addresses {
            let begun = Instant::now();
            let answer = app.post(path, body(address)).await;
            let took = begun.elapsed().as_secs_f64() * 1000.0;
            assert!(matches!(answer.status, 202 | 401), "{}", answer.text());
            times.entry(*address).or_default().push(took);
        }
    }
    times
}

fn report(path: &str, times: &BTreeMap<&'static str, Vec<f64>>) {
    let unknown = &times["nobody@example.com"];
    println!("{path}: {ROUNDS} times each, against an unknown address");
    for (address, known) in times {
        let slower = probability_of_greater(known, unknown);
        println!(
            "  {address:28} median {:8.2} ms, slower in {:3.0} % of pairs",
            median(known),
            slower * 100.0
        );
        assert!(
            (1.0 - TOLD_APART..=TOLD_APART).contains(&slower),
            "{path} tells {address} apart"
        );
    }
}

#[actix_web::test]
async fn time_does_not_tell_the_state_of_an_account() {
    let app = TestApp::start().await;
    let addresses = accounts(&app).await;
    let wrong = "wrong password, but long";
    let path = "/auth/v1/sessions";
    let log_in = |email: &str| json!({"email": email, "password": wrong});
    report(path, &measure(&app, path, &addresses, log_in).await);
    for path in ["/auth/v1/password-resets", "/auth/v1/email-verifications"] {
        let ask = |email: &str| json!({"email": email});
        report(path, &measure(&app, path, &addresses, ask).await);
    }
    app.finish().await;
}

#[test]
fn the_statistic_is_a_half_for_equals_and_one_for_the_greater() {
    let (low, high) = ([1.0, 2.0, 3.0], [4.0, 5.0]);
    assert!((probability_of_greater(&low, &low) - 0.5).abs() < 1e-9);
    assert!((probability_of_greater(&high, &low) - 1.0).abs() < 1e-9);
}
