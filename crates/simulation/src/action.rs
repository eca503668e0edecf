//! What can happen next. A schedule is a list of these; one that can't happen where the schedule
//! has come to is skipped, so that any part of a schedule is a schedule.

use crate::message::{MessageId, OrderNumber};

/// How the provider judges a customer's card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    Good,
    Declined,
    /// The provider takes its time and tells by webhook.
    Slow,
}

/// How the provider takes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Answers,
    /// It does what it was asked for, and the answer is lost.
    TimesOut,
    /// It does nothing, and says so.
    IsAway,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    Gateway,
    Worker(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Place {
        order: OrderNumber,
        quantity: i64,
        card: Card,
    },
    /// The customer takes the order back.
    Cancel(OrderNumber),
    /// The staff gives the money back.
    Refund(OrderNumber),
    /// A relay publishes an event of the outbox ...
    Publish(MessageId),
    /// ... and marks it. A relay that dies between leaves the event to the next one.
    Mark(MessageId),
    /// A worker that is free takes a message, whichever.
    Take { worker: usize, message: MessageId },
    /// A worker does the next thing with what it has in hand: a read, a transaction, a call to the
    /// provider, the acknowledgement.
    Work { worker: usize, mood: Mood },
    /// What the process had in hand goes back to the broker.
    Crash(Process),
    /// A message that was published before comes again.
    Repeat(MessageId),
    /// The broker forgets a message.
    Lose(MessageId),
    /// The provider comes to an end with a payment that it was slow about.
    Decide { intent: usize, succeeds: bool },
    /// A webhook arrives, perhaps not for the first time.
    Webhook(usize),
    /// Time passes until the next deadline, and the worker looks for overdue orders.
    Sweep,
    /// The provider's books are compared with ours.
    Reconcile,
}

impl Action {
    /// Whether it is bad luck: a schedule has only so much of it, so that something happens, too.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        match self {
            Self::Crash(_) | Self::Repeat(_) | Self::Lose(_) | Self::Sweep => true,
            Self::Work { mood, .. } => !matches!(mood, Mood::Answers),
            Self::Place { .. }
            | Self::Cancel(_)
            | Self::Refund(_)
            | Self::Publish(_)
            | Self::Mark(_)
            | Self::Take { .. }
            | Self::Decide { .. }
            | Self::Webhook(_)
            | Self::Reconcile => false,
        }
    }

    /// What kind it is of, and how often this kind is chosen beside the others.
    pub(crate) const fn kind(self) -> Kind {
        let (number, weight) = match self {
            Self::Work {
                mood: Mood::Answers,
                ..
            } => (0, 12),
            Self::Take { .. } => (1, 8),
            Self::Publish(_) => (2, 8),
            Self::Place { .. } => (3, 6),
            Self::Mark(_) => (4, 3),
            Self::Crash(_) => (5, 3),
            Self::Repeat(_) => (6, 2),
            Self::Decide { .. } => (7, 2),
            Self::Webhook(_) => (8, 2),
            Self::Work {
                mood: Mood::TimesOut | Mood::IsAway,
                ..
            } => (9, 2),
            Self::Cancel(_) => (10, 1),
            Self::Refund(_) => (11, 1),
            Self::Lose(_) => (12, 1),
            Self::Sweep => (13, 1),
            Self::Reconcile => (14, 1),
        };
        Kind { number, weight }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    number: u8,
    pub weight: usize,
}
