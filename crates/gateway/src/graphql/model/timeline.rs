use async_graphql::{Enum, SimpleObject};

use super::Timestamp;

/// What an entry of an order's timeline is about.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "orders::TimelineKind")]
pub(in crate::graphql) enum TimelineKind {
    /// A client's request, until the order's new state was written.
    Request,
    /// The payment provider told that there is news.
    Webhook,
    /// The worker took a message in hand, until the order's new state was written.
    Step,
    /// The order came into a state.
    State,
    /// An event, from the outbox until the broker had it.
    Message,
    /// A consumer applied the event.
    Consumed,
    /// The provider was asked for the money, until its answer was recorded.
    Payment,
    /// The provider was asked to give money back, until its answer was recorded.
    Refund,
    /// The customer was told by mail.
    Notification,
}

/// Something that happened to an order.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TimelineEntry {
    at: Timestamp,
    /// When it was over; null if it took no time or has not ended.
    until: Option<Timestamp>,
    kind: TimelineKind,
    /// The state, the event's type, the request: whatever the kind is about.
    what: String,
    /// More about it: who consumed the message, the provider's name for the payment.
    detail: Option<String>,
    /// The trace that it belongs to (W3C Trace Context), where it is known.
    trace_id: Option<String>,
}

impl From<orders::TimelineEntry> for TimelineEntry {
    fn from(entry: orders::TimelineEntry) -> Self {
        Self {
            at: entry.at.into(),
            until: entry.until.map(Timestamp::from),
            kind: entry.kind.into(),
            what: entry.what,
            detail: entry.detail,
            trace_id: entry.trace_id,
        }
    }
}
