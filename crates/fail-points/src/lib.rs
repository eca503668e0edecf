//! Where a drill makes the process die at the worst moment, and what it can take away to see
//! whether the auditor notices.
//!
//! All of it is behind the feature `enabled`, which no build for users has: without it
//! [`reached`] is empty and [`is_removed`] is a constant. With it the environment decides:
//!
//! | variable | for example | what it does |
//! |---|---|---|
//! | [`FAIL_POINT`] | `after-commit-before-ack=abort@3` | the third time that this point is reached, the process aborts |
//! | | `handler=panic@3` | ... the task that reached it panics |
//! | [`WITHOUT`] | `inbox` | this safeguard is left out |

#[cfg(feature = "enabled")]
mod enabled;

#[cfg(feature = "enabled")]
pub use enabled::{is_removed, reached};

/// The variable that arms a fail point.
pub const FAIL_POINT: &str = "PLUMBLINE_FAIL_POINT";
/// The variable that removes a safeguard.
pub const WITHOUT: &str = "PLUMBLINE_WITHOUT";
/// Whether this build has fail points.
pub const ENABLED: bool = cfg!(feature = "enabled");

/// A moment at which a crash is most likely to lose or double something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailPoint {
    /// A consumer has begun to handle a message.
    Handler,
    /// A message's effect is committed, and the broker does not know it yet.
    AfterCommitBeforeAck,
    /// The payment provider has answered, and nothing of the answer is committed.
    AfterChargeBeforeCommit,
    /// The broker has confirmed a batch, and the outbox does not know it yet.
    AfterPublishBeforeMark,
}

impl FailPoint {
    pub const ALL: [Self; 4] = [
        Self::Handler,
        Self::AfterCommitBeforeAck,
        Self::AfterChargeBeforeCommit,
        Self::AfterPublishBeforeMark,
    ];

    /// As in [`FAIL_POINT`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::AfterCommitBeforeAck => "after-commit-before-ack",
            Self::AfterChargeBeforeCommit => "after-charge-before-commit",
            Self::AfterPublishBeforeMark => "after-publish-before-mark",
        }
    }
}

/// What keeps a promise of the order pipeline, and can be left out to prove that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safeguard {
    /// The receipt that lets a message that is delivered twice take effect once.
    Inbox,
    /// That an event is written in the transaction of its change. Without it some are lost, as
    /// with a process that publishes after its commit and sometimes dies in between.
    Outbox,
    /// That stock is only taken where there is enough.
    StockGuard,
    /// That a request that is sent again finds the order of the first.
    Idempotency,
}

impl Safeguard {
    pub const ALL: [Self; 4] = [
        Self::Inbox,
        Self::Outbox,
        Self::StockGuard,
        Self::Idempotency,
    ];

    /// As in [`WITHOUT`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
            Self::StockGuard => "stock-guard",
            Self::Idempotency => "idempotency",
        }
    }
}

/// Fails here, if the environment says so.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
pub const fn reached(_: FailPoint) {}

/// Whether the safeguard is to be left out: never.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
#[must_use]
pub const fn is_removed(_: Safeguard) -> bool {
    false
}

#[cfg(all(test, not(feature = "enabled")))]
mod tests {
    use super::*;

    #[test]
    fn without_the_feature_nothing_can_be_removed() {
        for safeguard in Safeguard::ALL {
            assert!(!is_removed(safeguard));
        }
        FailPoint::ALL.into_iter().for_each(reached);
    }
}
