//! When each request is due: fixed before the run starts, and never moved by the server.

use std::time::Duration;

/// Requests a second that no generator on one machine should be asked for.
const MAX_RATE: f64 = 100_000.0;
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// A span of constant rate. A spike is three of them, a ramp a staircase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Requests a second.
    pub rate: f64,
    pub duration: Duration,
}

impl Stage {
    #[must_use]
    pub const fn new(rate: f64, duration: Duration) -> Self {
        Self { rate, duration }
    }

    /// How many slots begin before the stage's end. The subtraction keeps 0.1 s × 30 = 3.0000000004
    /// from granting a slot that is due at the end itself.
    fn slots(&self) -> u64 {
        (self.rate * self.duration.as_secs_f64() - 1e-9).ceil() as u64
    }
}

/// The due time of every request, as offsets from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    stages: Vec<Stage>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    #[error("a schedule needs at least one stage")]
    Empty,
    #[error("the rate must be above 0 and at most {MAX_RATE} requests a second, not {0}")]
    Rate(f64),
    #[error("the duration must be above 0 s and at most 24 h, not {0:?}")]
    Duration(Duration),
}

impl Schedule {
    /// # Errors
    /// When there is no stage, or one whose rate or duration is out of range.
    pub fn new(stages: Vec<Stage>) -> Result<Self, ScheduleError> {
        if stages.is_empty() {
            return Err(ScheduleError::Empty);
        }
        for stage in &stages {
            if !(stage.rate > 0.0 && stage.rate <= MAX_RATE) {
                return Err(ScheduleError::Rate(stage.rate));
            }
            if stage.duration.is_zero() || stage.duration > MAX_DURATION {
                return Err(ScheduleError::Duration(stage.duration));
            }
        }
        Ok(Self { stages })
    }

    /// The same shape with its highest stage at `rate` requests a second.
    ///
    /// # Errors
    /// When a scaled rate is out of range.
    pub fn with_peak_rate(&self, rate: f64) -> Result<Self, ScheduleError> {
        let factor = rate / self.peak_rate();
        Self::new(
            self.stages
                .iter()
                .map(|s| Stage::new(s.rate * factor, s.duration))
                .collect(),
        )
    }

    /// The same shape, stretched or shortened to last `duration`.
    ///
    /// # Errors
    /// When a scaled duration is out of range.
    pub fn with_duration(&self, duration: Duration) -> Result<Self, ScheduleError> {
        let factor = duration.as_secs_f64() / self.duration().as_secs_f64();
        let stretch = |stage: &Stage| Stage::new(stage.rate, stage.duration.mul_f64(factor));
        Self::new(self.stages.iter().map(stretch).collect())
    }

    #[must_use]
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.duration).sum()
    }

    #[must_use]
    pub fn peak_rate(&self) -> f64 {
        self.stages
            .iter()
            .map(|stage| stage.rate)
            .fold(0.0, f64::max)
    }

    /// How many requests the whole schedule holds.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.stages.iter().map(Stage::slots).sum()
    }

    /// Due times in order: within a stage `i / rate`. None lies at or after the end.
    pub fn due_times(&self) -> impl Iterator<Item = Duration> + '_ {
        let stage_starts = self
            .stages
            .iter()
            .scan(Duration::ZERO, |next_start, stage| {
                let start = *next_start;
                *next_start += stage.duration;
                Some((start, stage))
            });
        stage_starts.flat_map(|(start, stage)| {
            (0..stage.slots()).map(move |i| start + Duration::from_secs_f64(i as f64 / stage.rate))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(stages: &[(f64, u64)]) -> Schedule {
        let stages = stages
            .iter()
            .map(|(rate, s)| Stage::new(*rate, Duration::from_secs(*s)))
            .collect();
        Schedule::new(stages).unwrap()
    }

    #[test]
    fn request_i_is_due_at_i_over_rate() {
        let due: Vec<_> = schedule(&[(4.0, 1)]).due_times().collect();
        assert_eq!(due, [0, 250, 500, 750].map(Duration::from_millis));
    }

    #[test]
    fn nothing_is_due_at_the_end_or_after_it() {
        for (rate, seconds) in [
            (10.0, 30),
            (50.0, 60),
            (3.0, 7),
            (0.7, 10),
            (1000.0 / 3.0, 9),
        ] {
            let schedule = schedule(&[(rate, seconds)]);
            let due: Vec<_> = schedule.due_times().collect();
            assert!(
                due.iter().all(|due| *due < schedule.duration()),
                "{rate}/s for {seconds} s"
            );
            assert_eq!(due.len() as u64, schedule.slots());
        }
        assert_eq!(schedule(&[(10.0, 30)]).slots(), 300);
    }

    #[test]
    fn stages_follow_one_another() {
        let spike = schedule(&[(1.0, 2), (10.0, 1), (1.0, 2)]);
        let due: Vec<_> = spike.due_times().collect();
        assert_eq!(due.len(), 2 + 10 + 2);
        assert_eq!(due[2], Duration::from_secs(2));
        assert_eq!(due[3], Duration::from_millis(2100));
        assert_eq!(due[12], Duration::from_secs(3));
        assert!(due.is_sorted());
    }

    #[test]
    fn a_shape_is_scaled_in_rate_and_in_length() {
        let spike = schedule(&[(1.0, 2), (10.0, 1)]);
        assert_eq!(
            spike.with_peak_rate(50.0).unwrap(),
            schedule(&[(5.0, 2), (50.0, 1)])
        );
        assert_eq!(
            spike.with_duration(Duration::from_secs(6)).unwrap(),
            schedule(&[(1.0, 4), (10.0, 2)])
        );
    }

    #[test]
    fn impossible_schedules_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(Schedule::new(vec![]), Err(ScheduleError::Empty));
        for rate in [0.0, -1.0, f64::INFINITY] {
            let refused = Schedule::new(vec![Stage::new(rate, second)]);
            assert_eq!(refused, Err(ScheduleError::Rate(rate)));
        }
        assert!(Schedule::new(vec![Stage::new(f64::NAN, second)]).is_err());
        assert!(Schedule::new(vec![Stage::new(1.0, Duration::ZERO)]).is_err());
    }
}
