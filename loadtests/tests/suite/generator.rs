//! The generator alone: what it says about itself.

use std::sync::Arc;
use std::time::Duration;

use loadtests::generator;
use loadtests::measurements::Measurements;
use loadtests::operations::Operation;
use loadtests::recorder::Recorder;
use loadtests::schedule::{Schedule, Stage};
use loadtests::thresholds::{LATE_LIMIT, Verdict};
use tokio::time::sleep;

/// Runs 100 requests a second for a second.
async fn run<F>(
    max_in_flight: usize,
    work: impl FnMut() -> (Operation, F) + Send + 'static,
) -> Measurements
where
    F: Future<Output = Result<(), loadtests::failure::Failure>> + Send + 'static,
{
    let second = Duration::from_secs(1);
    let schedule = Schedule::new(vec![Stage::new(100.0, second)]).unwrap();
    let recorder = Arc::new(Recorder::new(second));
    generator::run(schedule, max_in_flight, Arc::clone(&recorder), work)
        .await
        .unwrap();
    recorder.measurements()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_that_cannot_keep_up_voids_the_run() {
    let measured = run(512, || {
        // As if choosing and building a request took longer than the schedule leaves.
        std::thread::sleep(Duration::from_millis(25));
        (Operation::BrowseRest, async { Ok(()) })
    })
    .await;
    assert!(measured.slots.late_share() > LATE_LIMIT);
    assert!(
        measured.slots.dropped > 0,
        "the last slots came too late for the run"
    );
    assert_eq!(
        measured.slots.started + measured.slots.dropped,
        measured.slots.scheduled
    );
    assert_eq!(Verdict::of(&measured, &[]), Verdict::GeneratorLate);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_are_bounded_and_the_server_is_blamed() {
    let measured = run(2, || {
        let answer = async {
            sleep(Duration::from_millis(200)).await;
            Ok(())
        };
        (Operation::BrowseRest, answer)
    })
    .await;
    let slots = &measured.slots;
    assert!(
        slots.started <= 14,
        "two at a time, 200 ms each: {}",
        slots.started
    );
    assert!(slots.held_back > 0);
    assert!(
        slots.late <= 2,
        "only the first two left without being held back: {slots:?}"
    );
    assert_eq!(slots.started + slots.refused, slots.scheduled);
    assert_eq!(measured.errors[0].code, "in-flight-limit");
    assert!(measured.error_share > 0.8);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_after_the_end_are_waited_for() {
    let measured = run(512, || {
        let answer = async {
            sleep(Duration::from_millis(400)).await;
            Ok(())
        };
        (Operation::BrowseRest, answer)
    })
    .await;
    assert_eq!(measured.latency.count + measured.slots.dropped, 100);
    assert!(measured.latency.p50_ms >= 400.0);
    assert!(
        measured.windows.len() >= 2,
        "answers came in the second after the run"
    );
}
