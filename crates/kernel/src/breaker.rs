use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// So many failures in a row open it.
    pub threshold: u32,
    /// How long it stays open at first; doubled with every failure of a trial ...
    pub first_pause: TimeDelta,
    /// ... up to this.
    pub longest_pause: TimeDelta,
}

/// A circuit breaker: who has failed several times in a row is left alone for a while, and then
/// tried by one request at a time.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    failures: u32,
    open_until: Option<DateTime<Utc>>,
}

impl Breaker {
    #[must_use]
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            failures: 0,
            open_until: None,
        }
    }

    /// Admits a request, or says how long to wait.
    ///
    /// # Errors
    /// The time until the next trial.
    pub fn admit(&mut self, now: DateTime<Utc>) -> Result<(), Duration> {
        let Some(open_until) = self.open_until else {
            return Ok(());
        };
        if let Ok(wait) = (open_until - now).to_std()
            && !wait.is_zero()
        {
            return Err(wait);
        }
        // Whoever comes before this trial's outcome waits; should there be none, the next trial is
        // due after the same pause.
        self.open_until = Some(now + self.pause());
        Ok(())
    }

    /// Whether it leaves alone what it guards.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    pub fn succeeded(&mut self) {
        *self = Self::new(self.policy);
    }

    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.policy.threshold {
            self.open_until = Some(now + self.pause());
        }
    }

    fn pause(&self) -> TimeDelta {
        let doublings = self.failures.saturating_sub(self.policy.threshold).min(16);
        (self.policy.first_pause * (1 << doublings)).min(self.policy.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BreakerPolicy = BreakerPolicy {
        threshold: 3,
        first_pause: TimeDelta::seconds(5),
        longest_pause: TimeDelta::minutes(2),
    };

    fn after_failures(failures: u32, now: DateTime<Utc>) -> Breaker {
        let mut breaker = Breaker::new(POLICY);
        for _ in 0..failures {
            breaker.failed(now);
        }
        breaker
    }

    #[test]
    fn it_opens_after_three_failures_in_a_row() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(after_failures(2, now).admit(now), Ok(()));
        assert_eq!(
            after_failures(3, now).admit(now),
            Err(Duration::from_secs(5))
        );
        assert!(after_failures(3, now).is_open());
        let mut breaker = after_failures(2, now);
        assert!(!breaker.is_open());
        breaker.succeeded();
        breaker.failed(now);
        assert_eq!(breaker.admit(now), Ok(()));
    }

    #[test]
    fn after_the_pause_one_trial_is_admitted_and_its_success_closes() {
        let opened = DateTime::UNIX_EPOCH;
        let mut breaker = after_failures(3, opened);
        let later = opened + TimeDelta::seconds(5);
        assert_eq!(breaker.admit(later), Ok(()));
        assert!(breaker.admit(later).is_err());
        breaker.succeeded();
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn every_failed_trial_doubles_the_pause_up_to_two_minutes() {
        let now = DateTime::UNIX_EPOCH;
        let pauses: Vec<_> = (3..11)
            .map(|failures| {
                after_failures(failures, now)
                    .admit(now)
                    .unwrap_err()
                    .as_secs()
            })
            .collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 120, 120, 120]);
    }
}
