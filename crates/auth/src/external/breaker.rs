use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// So many failures in a row open it.
const THRESHOLD: u32 = 3;
/// How long it stays open at first; doubled with every failure of a trial ...
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// ... up to this.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(2);

/// A circuit breaker: who has failed several times in a row is left alone for a while, and then
/// tried by one request at a time.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Admits a request, or says how long to wait.
    pub(super) fn admit(&mut self, now: DateTime<Utc>) -> Result<(), Duration> {
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

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= THRESHOLD {
            self.open_until = Some(now + self.pause());
        }
    }

    fn pause(&self) -> TimeDelta {
        let doublings = self.failures.saturating_sub(THRESHOLD).min(5);
        (FIRST_PAUSE * 2i32.pow(doublings)).min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_failures(failures: u32, now: DateTime<Utc>) -> Breaker {
        let mut breaker = Breaker::default();
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
        let mut breaker = after_failures(2, now);
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
