//! Objectives as data, and what a run made of them.

use std::time::Duration;

use serde::Serialize;

use crate::audit::AuditOutcome;
use crate::latency::{LatencySummary, Percentile};
use crate::measurements::Measurements;
use crate::settle::OrderOutcomes;
use crate::shop::audience::AudienceFigures;

/// More late starts than this share: the generator was measured, not the server.
pub const LATE_LIMIT: f64 = 0.01;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    MeanBelow(Duration),
    PercentileBelow(Percentile, Duration),
    /// 0 to 1, of all requests due.
    ErrorShareAtMost(f64),
    /// Of the news to each subscriber.
    DeliveryBelow(Percentile, Duration),
    /// Bytes that a subscriber costs the gateway's process. Not judged when nobody watched it.
    SubscriberBelow(u64),
    /// No subscriber lost the connection.
    EverySubscriberStays,
    /// Every order that was accepted reached `CONFIRMED`.
    EveryOrderConfirmed,
    /// The audit command succeeded. Not judged when none was given.
    AuditGreen,
}

/// One objective with the figure that met or missed it.
#[derive(Clone, Debug, Serialize)]
pub struct ThresholdResult {
    pub objective: String,
    pub measured: String,
    pub met: bool,
}

/// The run as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Passed,
    ThresholdMissed,
    /// The generator could not keep its schedule: the figures say nothing about the server.
    GeneratorLate,
}

impl Verdict {
    /// Lateness comes first: a missed threshold of a late generator proves nothing.
    #[must_use]
    pub fn of(measured: &Measurements, thresholds: &[ThresholdResult]) -> Self {
        if measured.slots.late_share() > LATE_LIMIT {
            Self::GeneratorLate
        } else if thresholds.iter().all(|threshold| threshold.met) {
            Self::Passed
        } else {
            Self::ThresholdMissed
        }
    }

    /// 0 passed, 1 threshold missed, 3 generator late. (2 is for runs that could not be made.)
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::ThresholdMissed => 1,
            Self::GeneratorLate => 3,
        }
    }
}

impl Threshold {
    /// None when there is nothing to judge: no audit was asked for, or there were no subscribers.
    #[must_use]
    pub fn judge(
        self,
        measured: &Measurements,
        orders: &OrderOutcomes,
        audience: Option<&AudienceFigures>,
        audit: Option<&AuditOutcome>,
    ) -> Option<ThresholdResult> {
        let result = match self {
            Self::MeanBelow(limit) => {
                latency_below("mean", measured.latency.mean_ms, limit, &measured.latency)
            }
            Self::PercentileBelow(percentile, limit) => latency_below(
                percentile.label(),
                percentile.of(&measured.latency),
                limit,
                &measured.latency,
            ),
            Self::DeliveryBelow(percentile, limit) => {
                let delivery = &audience?.delivery;
                let name = format!("news: {}", percentile.label());
                latency_below(&name, percentile.of(delivery), limit, delivery)
            }
            Self::SubscriberBelow(limit) => {
                let bytes = audience?.bytes_per_subscriber?;
                ThresholdResult {
                    objective: format!("a subscriber < {:.0} KiB", kib(limit as f64)),
                    measured: format!("{:.1} KiB", kib(bytes)),
                    met: bytes < limit as f64,
                }
            }
            Self::EverySubscriberStays => {
                let lost = audience?.lost;
                ThresholdResult {
                    objective: "every subscriber stays".to_owned(),
                    measured: format!("{lost} lost"),
                    met: lost == 0,
                }
            }
            Self::ErrorShareAtMost(limit) => ThresholdResult {
                objective: if limit == 0.0 {
                    "no errors".to_owned()
                } else {
                    format!("errors ≤ {} %", limit * 100.0)
                },
                measured: format!(
                    "{:.3} % ({})",
                    measured.error_share * 100.0,
                    measured.failed
                ),
                met: measured.error_share <= limit,
            },
            Self::EveryOrderConfirmed => ThresholdResult {
                objective: "every order confirmed".to_owned(),
                measured: format!("{} of {}", orders.confirmed, orders.placed),
                met: orders.confirmed == orders.placed,
            },
            Self::AuditGreen => {
                let audit = audit?;
                ThresholdResult {
                    objective: "audit green".to_owned(),
                    measured: audit.status_line(),
                    met: audit.green,
                }
            }
        };
        Some(result)
    }
}

fn kib(bytes: f64) -> f64 {
    bytes / 1024.0
}

/// A run without one answer meets no latency objective.
fn latency_below(name: &str, value: f64, limit: Duration, of: &LatencySummary) -> ThresholdResult {
    let limit_ms = limit.as_secs_f64() * 1000.0;
    ThresholdResult {
        objective: format!("{name} < {limit_ms} ms"),
        measured: format!("{value:.1} ms"),
        met: of.count > 0 && value < limit_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Operation;
    use crate::recorder::{Recorder, Sample};
    use crate::shop::audience::AudienceSize;

    /// A hundred requests of 10 ms, the first `slow` of them 900 ms, the first `failed` failed.
    fn measured(slow: u64, failed: u64) -> Measurements {
        let recorder = Recorder::new(Duration::from_secs(10));
        for i in 0..100 {
            let due = Duration::from_millis(100 * i);
            let took = Duration::from_millis(if i < slow { 900 } else { 10 });
            recorder.offer(due);
            recorder.start(Duration::ZERO, false);
            recorder.record(Sample {
                operation: Operation::BrowseRest,
                due,
                finished: due + took,
                failure: (i < failed).then_some(crate::failure::Failure::TimedOut),
            });
        }
        recorder.measurements()
    }

    fn met(threshold: Threshold, measured: &Measurements) -> bool {
        threshold
            .judge(measured, &OrderOutcomes::default(), None, None)
            .unwrap()
            .met
    }

    #[test]
    fn latency_objectives_are_met_below_their_limit_only() {
        let p95 = Threshold::PercentileBelow(Percentile::P95, Duration::from_millis(200));
        assert!(met(p95, &measured(4, 0)));
        assert!(!met(p95, &measured(6, 0)));
        assert!(met(
            Threshold::MeanBelow(Duration::from_millis(200)),
            &measured(6, 0)
        ));
        assert!(!met(
            Threshold::MeanBelow(Duration::from_millis(200)),
            &measured(50, 0)
        ));
    }

    #[test]
    fn a_run_without_answers_meets_no_latency_objective() {
        let nothing = Recorder::new(Duration::from_secs(1)).measurements();
        assert!(!met(
            Threshold::MeanBelow(Duration::from_millis(200)),
            &nothing
        ));
    }

    #[test]
    fn the_error_share_may_reach_its_limit_but_not_pass_it() {
        assert!(met(Threshold::ErrorShareAtMost(0.02), &measured(0, 2)));
        assert!(!met(Threshold::ErrorShareAtMost(0.02), &measured(0, 3)));
        assert!(!met(Threshold::ErrorShareAtMost(0.0), &measured(0, 1)));
    }

    #[test]
    fn one_unconfirmed_order_misses_the_objective() {
        let orders = OrderOutcomes {
            placed: 10,
            confirmed: 9,
            ..OrderOutcomes::default()
        };
        let judged = Threshold::EveryOrderConfirmed.judge(&measured(0, 0), &orders, None, None);
        assert!(!judged.unwrap().met);
    }

    #[test]
    fn the_audit_is_judged_when_there_is_one() {
        let orders = OrderOutcomes::default();
        let red = AuditOutcome {
            green: false,
            exit: "exit status: 1".into(),
            output: "".into(),
        };
        let measured = measured(0, 0);
        assert!(
            Threshold::AuditGreen
                .judge(&measured, &orders, None, None)
                .is_none()
        );
        assert!(
            !Threshold::AuditGreen
                .judge(&measured, &orders, None, Some(&red))
                .unwrap()
                .met
        );
    }

    #[test]
    fn an_audience_is_judged_by_its_news_its_memory_and_its_losses() {
        let judge = |threshold: Threshold, audience: Option<&AudienceFigures>| {
            let judged =
                threshold.judge(&measured(0, 0), &OrderOutcomes::default(), audience, None);
            judged.map(|result| result.met)
        };
        let mut audience = AudienceFigures {
            size: AudienceSize {
                idle: 9,
                listening: 1,
            },
            opened_in_s: 1.0,
            bytes_per_subscriber: Some(30_000.0),
            delivery: measured(0, 0).latency,
            lost: 0,
        };
        let delivery = Threshold::DeliveryBelow(Percentile::P99, Duration::from_millis(50));
        let memory = Threshold::SubscriberBelow(32 * 1024);
        let all = [delivery, memory, Threshold::EverySubscriberStays];
        for threshold in all {
            assert_eq!(judge(threshold, None), None);
            assert_eq!(judge(threshold, Some(&audience)), Some(true));
        }
        audience.delivery = measured(50, 0).latency;
        audience.bytes_per_subscriber = Some(33_000.0);
        audience.lost = 1;
        for threshold in all {
            assert_eq!(judge(threshold, Some(&audience)), Some(false));
        }
        audience.bytes_per_subscriber = None;
        assert_eq!(judge(memory, Some(&audience)), None, "nobody watched it");
    }

    #[test]
    fn a_late_generator_outweighs_every_other_verdict() {
        let met = |met| ThresholdResult {
            objective: "".into(),
            measured: "".into(),
            met,
        };
        let mut measured = measured(0, 0);
        assert_eq!(Verdict::of(&measured, &[met(true)]).exit_code(), 0);
        assert_eq!(
            Verdict::of(&measured, &[met(true), met(false)]).exit_code(),
            1
        );
        measured.slots.late = 1;
        assert_eq!(Verdict::of(&measured, &[met(true)]), Verdict::Passed);
        measured.slots.dropped = 1;
        assert_eq!(Verdict::of(&measured, &[met(false)]).exit_code(), 3);
    }
}
