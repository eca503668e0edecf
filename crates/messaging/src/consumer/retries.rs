use std::time::Duration;

use super::FailureClass;

/// How often a message is tried, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often it is tried again at once, because most of what is away is back in a moment.
    pub at_once: u32,
    /// The longest that it then waits, doubled for each attempt after that. Each time it waits for
    /// a random part of it ("full jitter", M. Brooker, AWS Architecture Blog, 2015), so that what
    /// failed together does not come back together.
    pub first_delay: Duration,
    /// ... up to this.
    pub longest_delay: Duration,
    /// A message that failed as often in all is set aside.
    pub attempts: u32,
}

impl Default for RetryPolicy {
    /// For 25 minutes on average and 50 at most.
    fn default() -> Self {
        Self {
            at_once: 2,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(5 * 60),
            attempts: 20,
        }
    }
}

/// What becomes of a message that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    AtOnce,
    /// After a random part of this.
    Within(Duration),
    SetAside,
}

impl RetryPolicy {
    /// `attempt` is the number of the attempt that failed, from 1.
    pub(super) fn after(&self, class: FailureClass, attempt: u32) -> Verdict {
        match class {
            FailureClass::Permanent => Verdict::SetAside,
            FailureClass::Transient if attempt >= self.attempts => Verdict::SetAside,
            FailureClass::Transient if attempt <= self.at_once => Verdict::AtOnce,
            FailureClass::Transient => Verdict::Within(self.delay(attempt)),
        }
    }

    /// The longest wait after this attempt.
    pub(super) fn delay(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(self.at_once + 1).min(16);
        let delay = self.first_delay.saturating_mul(1 << doublings);
        delay.min(self.longest_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        at_once: 2,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(5),
        attempts: 8,
    };

    #[test]
    fn what_may_pass_is_tried_at_once_then_later_and_later_and_not_for_ever() {
        let after = |attempt| POLICY.after(FailureClass::Transient, attempt);
        assert_eq!([after(1), after(2)], [Verdict::AtOnce; 2]);
        for (attempt, seconds) in [(3, 1), (4, 2), (5, 4), (6, 5), (7, 5)] {
            assert_eq!(
                after(attempt),
                Verdict::Within(Duration::from_secs(seconds))
            );
        }
        assert_eq!(after(8), Verdict::SetAside);
        assert_eq!(after(u32::MAX), Verdict::SetAside);
    }

    #[test]
    fn what_can_never_succeed_is_not_tried_again() {
        assert_eq!(POLICY.after(FailureClass::Permanent, 1), Verdict::SetAside);
    }

    #[test]
    fn by_default_a_message_is_given_fifty_minutes_at_most() {
        let policy = RetryPolicy::default();
        let waits = (1..policy.attempts).map(|attempt| {
            match policy.after(FailureClass::Transient, attempt) {
                Verdict::AtOnce => Duration::ZERO,
                Verdict::Within(longest) => longest,
                Verdict::SetAside => panic!("too soon"),
            }
        });
        let total: Duration = waits.sum();
        assert!((40 * 60..50 * 60).contains(&total.as_secs()), "{total:?}");
    }
}
