//! Collects what happened to every slot, in memory that does not grow with the run.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::failure::Failure;
use crate::generator::LATE_AFTER;
use crate::latency::LatencyHistogram;
use crate::measurements::{
    ErrorSummary, Measurements, OperationSummary, SlotCounts, WindowSummary, share,
};
use crate::operations::Operation;
use crate::shop::OPERATION_TIMEOUT;

/// A run is cut into at most this many windows, of at least a second each.
const MAX_WINDOWS: u32 = 180;
/// Codes partly come from the server: further ones are counted together.
const MAX_ERROR_CODES: usize = 50;
const MAX_EXAMPLE_CHARS: usize = 300;

/// One answered (or failed) request. Times are offsets from the start of the run.
#[derive(Debug)]
pub struct Sample {
    pub operation: Operation,
    pub due: Duration,
    pub finished: Duration,
    pub failure: Option<Failure>,
}

/// Shared by all requests; each call holds a lock for about a microsecond.
#[derive(Debug)]
pub struct Recorder {
    duration: Duration,
    window: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    slots: SlotCounts,
    overall: LatencyHistogram,
    failed: u64,
    last_finish: Duration,
    operations: BTreeMap<Operation, OperationRecord>,
    windows: Vec<WindowRecord>,
    errors: BTreeMap<String, ErrorSummary>,
}

#[derive(Debug)]
struct OperationRecord {
    latencies: LatencyHistogram,
    failed: u64,
}

#[derive(Clone, Debug)]
struct WindowRecord {
    offered: u64,
    succeeded: u64,
    failed: u64,
    latencies: LatencyHistogram,
}

impl Recorder {
    /// For a run of `duration`.
    #[must_use]
    pub fn new(duration: Duration) -> Self {
        let window = (duration / MAX_WINDOWS).max(Duration::from_secs(1));
        let whole = duration + OPERATION_TIMEOUT;
        let count = whole.div_duration_f64(window).ceil() as usize + 1;
        let empty = WindowRecord {
            offered: 0,
            succeeded: 0,
            failed: 0,
            latencies: LatencyHistogram::coarse(),
        };
        Self {
            duration,
            window,
            state: Mutex::new(State {
                slots: SlotCounts::default(),
                overall: LatencyHistogram::precise(),
                failed: 0,
                last_finish: Duration::ZERO,
                operations: BTreeMap::new(),
                windows: vec![empty; count],
                errors: BTreeMap::new(),
            }),
        }
    }

    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }

    /// A slot came due (or should have).
    pub fn offer(&self, due: Duration) {
        let mut state = self.lock();
        state.slots.scheduled += 1;
        self.window_at(&mut state, due).offered += 1;
    }

    /// A request left, `lateness` after it was due. Lateness of a slot that was `held_back` by the
    /// bound on requests in flight is the server's, and is not held against the generator.
    pub fn start(&self, lateness: Duration, held_back: bool) {
        let slots = &mut self.lock().slots;
        slots.started += 1;
        if held_back {
            slots.held_back += 1;
            return;
        }
        slots.latest_start_ms = slots.latest_start_ms.max(lateness.as_secs_f64() * 1000.0);
        if lateness > LATE_AFTER {
            slots.late += 1;
        }
    }

    /// The generator was so late that the run was over before the slot could start.
    pub fn drop_slot(&self) {
        self.lock().slots.dropped += 1;
    }

    /// A slot that was not sent through the server's fault: an error without a latency.
    pub fn refuse(&self, due: Duration, failure: &Failure) {
        let mut state = self.lock();
        state.failed += 1;
        state.slots.refused += 1;
        self.window_at(&mut state, due).failed += 1;
        state.count_error(failure);
    }

    /// Latency goes to the window in which the request was due, so that a stall shows when it
    /// began; the answer counts in the window in which it came.
    pub fn record(&self, sample: Sample) {
        let latency = sample.finished.saturating_sub(sample.due);
        let mut state = self.lock();
        state.overall.record(latency);
        state.last_finish = state.last_finish.max(sample.finished);
        self.window_at(&mut state, sample.due)
            .latencies
            .record(latency);
        let operation =
            state
                .operations
                .entry(sample.operation)
                .or_insert_with(|| OperationRecord {
                    latencies: LatencyHistogram::precise(),
                    failed: 0,
                });
        operation.latencies.record(latency);
        if let Some(failure) = &sample.failure {
            operation.failed += 1;
            state.failed += 1;
            self.window_at(&mut state, sample.finished).failed += 1;
            state.count_error(failure);
        } else {
            self.window_at(&mut state, sample.finished).succeeded += 1;
        }
    }

    #[must_use]
    pub fn progress(&self) -> Progress {
        let state = self.lock();
        let answered = state.overall.summary();
        Progress {
            started: state.slots.started,
            answered: answered.count,
            failed: state.failed,
            late: state.slots.late + state.slots.dropped,
            p50_ms: answered.p50_ms,
            p99_ms: answered.p99_ms,
        }
    }

    #[must_use]
    pub fn measurements(&self) -> Measurements {
        let state = self.lock();
        let duration = self.duration.as_secs_f64();
        let latency = state.overall.summary();
        let succeeded = latency.count + state.slots.refused - state.failed;
        let counted = latency.count + state.slots.refused;
        let took = self.duration.max(state.last_finish).as_secs_f64();
        Measurements {
            duration_s: duration,
            offered_rate: state.slots.scheduled as f64 / duration,
            achieved_rate: succeeded as f64 / took,
            failed: state.failed,
            error_share: share(state.failed, counted),
            slots: state.slots.clone(),
            latency,
            distribution: state.overall.distribution(),
            operations: state.operation_summaries(),
            windows: state.window_summaries(self.window),
            errors: state.errors.values().cloned().collect(),
        }
    }

    fn window_at<'s>(&self, state: &'s mut State, at: Duration) -> &'s mut WindowRecord {
        let last = state.windows.len() - 1;
        let index = at.div_duration_f64(self.window) as usize;
        &mut state.windows[index.min(last)]
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters stay usable whatever a panicking holder left behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count_error(&mut self, failure: &Failure) {
        let mut code = failure.code();
        if !self.errors.contains_key(&code) && self.errors.len() >= MAX_ERROR_CODES {
            code = "other".to_owned();
        }
        let entry = self
            .errors
            .entry(code.clone())
            .or_insert_with(|| ErrorSummary {
                code,
                count: 0,
                example: failure.explain().chars().take(MAX_EXAMPLE_CHARS).collect(),
            });
        entry.count += 1;
    }

    fn operation_summaries(&self) -> Vec<OperationSummary> {
        let summary = |(operation, record): (&Operation, &OperationRecord)| OperationSummary {
            operation: operation.name(),
            failed: record.failed,
            latency: record.latencies.summary(),
        };
        self.operations.iter().map(summary).collect()
    }

    fn window_summaries(&self, window: Duration) -> Vec<WindowSummary> {
        let used = |w: &WindowRecord| w.offered + w.succeeded + w.failed > 0;
        let length = self
            .windows
            .iter()
            .rposition(used)
            .map_or(0, |last| last + 1);
        let seconds = window.as_secs_f64();
        let summary = |(index, record): (usize, &WindowRecord)| WindowSummary {
            at_s: index as f64 * seconds,
            offered_rate: record.offered as f64 / seconds,
            achieved_rate: record.succeeded as f64 / seconds,
            failed: record.failed,
            latency: (!record.latencies.is_empty()).then(|| record.latencies.summary()),
        };
        self.windows[..length]
            .iter()
            .enumerate()
            .map(summary)
            .collect()
    }
}

/// What the terminal shows while the run goes on.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub started: u64,
    pub answered: u64,
    pub failed: u64,
    pub late: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn sample(due_ms: u64, finished_ms: u64, failure: Option<Failure>) -> Sample {
        Sample {
            operation: Operation::BrowseRest,
            due: Duration::from_millis(due_ms),
            finished: Duration::from_millis(finished_ms),
            failure,
        }
    }

    #[test]
    fn latency_counts_from_the_due_time() {
        let recorder = Recorder::new(10 * SECOND);
        recorder.record(sample(1000, 1700, None));
        let latency = recorder.measurements().latency;
        assert!(
            (699.0..=701.0).contains(&latency.max_ms),
            "{}",
            latency.max_ms
        );
    }

    #[test]
    fn a_stall_shows_in_the_window_in_which_requests_were_due() {
        let recorder = Recorder::new(10 * SECOND);
        recorder.offer(SECOND);
        recorder.record(sample(1000, 3500, None));
        let windows = recorder.measurements().windows;
        assert_eq!(windows.len(), 4);
        assert!(windows[1].latency.as_ref().unwrap().max_ms > 2_400.0);
        assert_eq!(
            (windows[1].offered_rate, windows[1].achieved_rate),
            (1.0, 0.0)
        );
        assert_eq!(windows[3].achieved_rate, 1.0);
        assert!(windows[3].latency.is_none());
    }

    #[test]
    fn lateness_of_held_back_slots_is_not_the_generators() {
        let recorder = Recorder::new(SECOND);
        for _ in 0..4 {
            recorder.offer(Duration::ZERO);
        }
        recorder.start(Duration::from_millis(2), false);
        recorder.start(Duration::from_millis(50), false);
        recorder.start(Duration::from_millis(900), true);
        recorder.drop_slot();
        let slots = recorder.measurements().slots;
        assert_eq!((slots.late, slots.held_back, slots.dropped), (1, 1, 1));
        assert_eq!(slots.late_share(), 0.5);
    }

    #[test]
    fn refused_slots_are_failures_without_a_latency() {
        let recorder = Recorder::new(SECOND);
        recorder.record(sample(0, 5, None));
        recorder.refuse(Duration::ZERO, &Failure::InFlightLimit);
        let measured = recorder.measurements();
        assert_eq!((measured.latency.count, measured.failed), (1, 1));
        assert_eq!(measured.error_share, 0.5);
    }

    #[test]
    fn memory_is_bounded_by_windows_and_error_codes() {
        let day = Recorder::new(24 * 3600 * SECOND);
        assert!(day.lock().windows.len() <= MAX_WINDOWS as usize + 2);
        for number in 0..200 {
            let failure = Failure::OrderEnded(format!("STATUS_{number}"));
            day.record(sample(0, 1, Some(failure)));
        }
        let errors = day.measurements().errors;
        assert_eq!(errors.len(), MAX_ERROR_CODES + 1);
        assert_eq!(errors.iter().map(|error| error.count).sum::<u64>(), 200);
    }
}
