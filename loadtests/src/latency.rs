//! Latencies in an HDR histogram: constant memory, a stated relative error, no averaging of
//! percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer latencies are recorded as this one. Above every time limit of [`crate::shop`].
const LONGEST: Duration = Duration::from_secs(120);

/// Latencies with a resolution of one microsecond.
#[derive(Clone, Debug)]
pub struct LatencyHistogram(Histogram<u64>);

impl LatencyHistogram {
    /// Three significant digits (0.1 %): for whole-run figures.
    #[must_use]
    pub fn precise() -> Self {
        Self::with_digits(3)
    }

    /// Two significant digits (1 %), an eighth of the memory: for each of many windows.
    #[must_use]
    pub fn coarse() -> Self {
        Self::with_digits(2)
    }

    #[allow(
        clippy::expect_used,
        reason = "the bounds are constants within the documented range"
    )]
    fn with_digits(digits: u8) -> Self {
        let longest = LONGEST.as_micros() as u64;
        Self(Histogram::new_with_bounds(1, longest, digits).expect("valid constant bounds"))
    }

    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.max(1));
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Milliseconds below which `percentile` (0 to 100) of the latencies lie; 0 when empty.
    #[must_use]
    pub fn percentile_ms(&self, percentile: f64) -> f64 {
        to_ms(self.0.value_at_percentile(percentile))
    }

    #[must_use]
    pub fn summary(&self) -> LatencySummary {
        LatencySummary {
            count: self.0.len(),
            mean_ms: self.0.mean() / 1000.0,
            p50_ms: self.percentile_ms(50.0),
            p90_ms: self.percentile_ms(90.0),
            p95_ms: self.percentile_ms(95.0),
            p99_ms: self.percentile_ms(99.0),
            p999_ms: self.percentile_ms(99.9),
            max_ms: to_ms(self.0.max()),
        }
    }

    /// The cumulative distribution, finer towards the slow end, where it matters.
    #[must_use]
    pub fn distribution(&self) -> Vec<DistributionPoint> {
        let mut points: Vec<DistributionPoint> = Vec::new();
        for step in self.0.iter_quantiles(10) {
            let point = DistributionPoint {
                latency_ms: to_ms(step.value_iterated_to()),
                share: step.quantile(),
            };
            match points.last_mut() {
                Some(last) if last.latency_ms == point.latency_ms => *last = point,
                _ => points.push(point),
            }
        }
        points
    }
}

/// Milliseconds, counted from the moment each request was due.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LatencySummary {
    pub count: u64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// The percentiles that a summary holds and that a threshold may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Percentile {
    P50,
    P90,
    P95,
    P99,
    P999,
}

impl Percentile {
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
        }
    }

    /// Milliseconds.
    #[must_use]
    pub fn of(self, summary: &LatencySummary) -> f64 {
        match self {
            Self::P50 => summary.p50_ms,
            Self::P90 => summary.p90_ms,
            Self::P95 => summary.p95_ms,
            Self::P99 => summary.p99_ms,
            Self::P999 => summary.p999_ms,
        }
    }
}

/// `share` (0 to 1) of the requests took at most `latency_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DistributionPoint {
    pub latency_ms: f64,
    pub share: f64,
}

fn to_ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_tenth_of_a_percent() {
        let mut histogram = LatencyHistogram::precise();
        for ms in 1..=1000 {
            histogram.record(Duration::from_millis(ms));
        }
        let summary = histogram.summary();
        for (measured, exact) in [
            (summary.p50_ms, 500.0),
            (summary.p99_ms, 990.0),
            (summary.p90_ms, 900.0),
        ] {
            assert!(
                (measured - exact).abs() <= exact * 0.001,
                "{measured} for {exact}"
            );
        }
        assert_eq!(summary.count, 1000);
    }

    #[test]
    fn the_distribution_rises_to_one() {
        let mut histogram = LatencyHistogram::precise();
        for micros in (0..50_000).step_by(7) {
            histogram.record(Duration::from_micros(micros));
        }
        let points = histogram.distribution();
        assert!(points.is_sorted_by(|a, b| a.latency_ms < b.latency_ms && a.share <= b.share));
        assert_eq!(points.last().unwrap().share, 1.0);
    }

    #[test]
    fn an_endless_latency_is_kept_as_the_longest() {
        let mut histogram = LatencyHistogram::coarse();
        histogram.record(Duration::from_secs(9_999));
        assert!(histogram.percentile_ms(50.0) >= 118_000.0);
    }
}
