//! The figures of one run, as the report shows them.

use serde::Serialize;

use crate::latency::{DistributionPoint, LatencySummary};

/// Everything that the generator measured in one run.
#[derive(Clone, Debug, Serialize)]
pub struct Measurements {
    pub duration_s: f64,
    /// Requests a second that were due.
    pub offered_rate: f64,
    /// Requests a second that were answered well.
    pub achieved_rate: f64,
    pub failed: u64,
    /// 0 to 1.
    pub error_share: f64,
    pub slots: SlotCounts,
    pub latency: LatencySummary,
    pub distribution: Vec<DistributionPoint>,
    pub operations: Vec<OperationSummary>,
    pub windows: Vec<WindowSummary>,
    pub errors: Vec<ErrorSummary>,
}

/// How well the generator kept its own schedule.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SlotCounts {
    pub scheduled: u64,
    pub started: u64,
    /// Started more than [`LATE_AFTER`](crate::generator::LATE_AFTER) after they were due.
    pub late: u64,
    /// Not started: the generator was so late that the run was over.
    pub dropped: u64,
    /// Started late because the bound on requests in flight was reached.
    pub held_back: u64,
    /// Not started, because that bound was still reached at the end; each counts as failed.
    pub refused: u64,
    pub latest_start_ms: f64,
}

impl SlotCounts {
    /// The share (0 to 1) of slots that the generator itself spoiled.
    #[must_use]
    pub fn late_share(&self) -> f64 {
        share(self.late + self.dropped, self.scheduled)
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct OperationSummary {
    pub operation: &'static str,
    pub failed: u64,
    pub latency: LatencySummary,
}

#[derive(Clone, Debug, Serialize)]
pub struct WindowSummary {
    /// Seconds from the start of the run to the start of the window.
    pub at_s: f64,
    pub offered_rate: f64,
    pub achieved_rate: f64,
    pub failed: u64,
    /// Of the requests due in the window; none when none was.
    pub latency: Option<LatencySummary>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ErrorSummary {
    pub code: String,
    pub count: u64,
    /// The first failure with this code.
    pub example: String,
}

/// `part / whole`, and 0 of nothing.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
