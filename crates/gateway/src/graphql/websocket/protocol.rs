//! The messages of the graphql-transport-ws protocol and its close codes
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::graphql::answer::Answer;
use crate::graphql::parameters::Parameters;

/// The subprotocol's name in `Sec-WebSocket-Protocol`.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";

/// The longest id of an operation. Clients count, or take a UUID.
const MAX_ID_BYTES: usize = 256;

/// What a client may send.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Pong {
        #[serde(default, rename = "payload")]
        _payload: Option<Map<String, Value>>,
    },
    Subscribe {
        id: String,
        payload: Parameters,
    },
    Complete {
        id: String,
    },
}

impl ClientMessage {
    /// Parses one text message; `None` when it is none of the protocol's.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // The derived parser would also take an array of a tag and its content.
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let message = serde_json::from_str(text).ok()?;
        match &message {
            Self::Subscribe { id, .. } | Self::Complete { id }
                if !(1..=MAX_ID_BYTES).contains(&id.len()) =>
            {
                None
            }
            _ => Some(message),
        }
    }
}

/// What the server sends.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'m> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Value>>,
    },
    Next {
        id: &'m str,
        payload: &'m Answer,
    },
    Error {
        id: &'m str,
        payload: &'m [async_graphql::ServerError],
    },
    Complete {
        id: &'m str,
    },
}

/// Why the server ends a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// A message that is none of the protocol's.
    BadMessage,
    /// A subscription before the connection was acknowledged.
    Unauthorized,
    /// The connection may not be made, or not any longer.
    Forbidden(&'static str),
    /// `connection_init` did not arrive in time.
    InitTimeout,
    /// The id is of a subscription that is still running.
    SubscriberExists(String),
    /// A second `connection_init`.
    TooManyInits,
    /// A message larger than allowed (RFC 6455, §7.4.1).
    TooBig,
    /// This process stops; another one takes over (1012 of the registry of RFC 6455). Come back
    /// after so long: it differs from client to client.
    Restart { retry_after: Duration },
    /// It can't be told now who the client is (1013 of the same registry).
    TryAgainLater,
}

impl Ending {
    /// The close code.
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::TooBig => 1009,
            Self::Restart { .. } => 1012,
            Self::TryAgainLater => 1013,
            Self::BadMessage => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden(_) => 4403,
            Self::InitTimeout => 4408,
            Self::SubscriberExists(_) => 4409,
            Self::TooManyInits => 4429,
        }
    }

    /// The close reason, worded as the protocol has it.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::TooBig => "Message too big".to_owned(),
            Self::Restart { retry_after } => {
                format!(
                    "Service restart, retry after {} ms",
                    retry_after.as_millis()
                )
            }
            Self::TryAgainLater => "Try again later".to_owned(),
            Self::BadMessage => "Invalid message received".to_owned(),
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::Forbidden(reason) => (*reason).to_owned(),
            Self::InitTimeout => "Connection initialisation timeout".to_owned(),
            Self::SubscriberExists(id) => format!("Subscriber for {id} already exists"),
            Self::TooManyInits => "Too many initialisation requests".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_protocols_messages_are_understood() {
        for text in [
            "",
            "{",
            "null",
            "[]",
            r#"["ping"]"#,
            r#"{"type":"start"}"#,
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":7,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":["{a}",null,null,null]}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"ping","payload":"x"}"#,
        ] {
            assert!(ClientMessage::parse(text).is_none(), "{text}");
        }
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(257));
        assert!(ClientMessage::parse(&long).is_none());
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"pong","payload":{"a":1}}"#,
            r#" {"id":"1","type":"subscribe","payload":{"query":"{a}","extensions":null}}"#,
        ] {
            assert!(ClientMessage::parse(text).is_some(), "{text}");
        }
    }
}
