use std::time::Duration;

use super::FailureClass;

/// How often a message is tried, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// A message that fails as often is set aside.
    pub attempts: u32,
    /// Before the second attempt; doubled for each one after it ...
    pub first_delay: Duration,
    /// ... up to this.
    pub longest_delay: Duration,
}

/// What becomes of a message that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wait(Duration),
    GiveUp,
}

impl RetryPolicy {
    /// `attempt` is the number of the attempt that failed, from 1.
    pub(super) fn after(&self, class: FailureClass, attempt: u32) -> Verdict {
        match class {
            FailureClass::Permanent => Verdict::GiveUp,
            FailureClass::Transient if attempt >= self.attempts => Verdict::GiveUp,
            FailureClass::Transient => {
                let doublings = attempt.saturating_sub(1).min(16);
                let delay = self.first_delay.saturating_mul(1 << doublings);
                Verdict::Wait(delay.min(self.longest_delay))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 6,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(5),
    };

    #[test]
    fn what_may_pass_is_tried_again_later_and_later_and_not_for_ever() {
        let after = |attempt| POLICY.after(FailureClass::Transient, attempt);
        for (attempt, seconds) in [(1, 1), (2, 2), (3, 4), (4, 5), (5, 5)] {
            assert_eq!(after(attempt), Verdict::Wait(Duration::from_secs(seconds)));
        }
        assert_eq!(after(6), Verdict::GiveUp);
        assert_eq!(after(u32::MAX), Verdict::GiveUp);
    }

    #[test]
    fn what_can_never_succeed_is_not_tried_again() {
        assert_eq!(POLICY.after(FailureClass::Permanent, 1), Verdict::GiveUp);
    }
}
