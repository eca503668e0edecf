use bytes::Bytes;
use tracing::Span;
use uuid::Uuid;

/// What travels: an event's bytes and what is needed to route, deduplicate and trace it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The event's id: AMQP `message_id`, and the inbox key of every consumer.
    pub id: Uuid,
    /// The versioned type, also the routing key, for example `orders.order.placed.v1`. At most
    /// 255 bytes.
    pub event_type: String,
    pub aggregate_id: Uuid,
    /// A CloudEvents envelope as JSON, see [`contracts::Envelope`].
    pub body: Bytes,
    /// W3C Trace Context of the span that published it.
    pub traceparent: Option<String>,
}

/// A message on its way: to whom it goes, and what is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    pub message: Message,
    /// The name of the only queue that it is for; `None`: every queue that is bound to its type,
    /// and those who listen.
    pub queue: Option<String>,
    /// How often its handling has failed: [`Delivery::attempt`](crate::Delivery::attempt) counts on
    /// from there.
    pub failed_attempts: u32,
}

impl From<Message> for Publication {
    fn from(message: Message) -> Self {
        Self {
            message,
            queue: None,
            failed_attempts: 0,
        }
    }
}

impl Message {
    /// Of the trace that it belongs to, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_deref()?.split('-').nth(1)
    }

    /// A span for handling this message, a child of the span that published it, so that one order
    /// is one trace however many processes it passes through.
    #[must_use]
    pub fn span(&self, consumer: &'static str) -> Span {
        let span = tracing::info_span!(
            "message",
            otel.name = format!("process {}", self.event_type),
            otel.kind = "consumer",
            messaging.consumer.group.name = consumer,
            messaging.message.id = %self.id,
            aggregate_id = %self.aggregate_id,
        );
        trace_context::continue_trace(&span, self.traceparent.as_deref());
        span
    }
}

/// Why a message was not confirmed. It may have arrived all the same: publish it again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    #[error("there is no connection to the broker")]
    NotConnected,
    #[error("the broker takes no messages for now: it is short of memory or disk")]
    Blocked,
    #[error("the broker did not confirm in time")]
    TimedOut,
    #[error("the connection to the broker broke")]
    Connection(#[source] lapin::Error),
    #[error("no queue is bound to the message's type")]
    Unroutable,
    #[error("a queue refused the message, which happens when it is full")]
    Refused,
}

impl PublishError {
    /// Whether the broker as a whole is away, so that another message would fare no better.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::NotConnected | Self::Blocked | Self::TimedOut | Self::Connection(_) => true,
            Self::Unroutable | Self::Refused => false,
        }
    }

    /// A metric label.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::Blocked => "blocked",
            Self::TimedOut => "timed_out",
            Self::Connection(_) => "connection",
            Self::Unroutable => "unroutable",
            Self::Refused => "refused",
        }
    }
}
