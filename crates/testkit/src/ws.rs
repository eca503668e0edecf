//! A client of GraphQL over WebSocket (the graphql-transport-ws protocol:
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>), for tests.
//!
//! It sends what it is told, also what the protocol forbids, so that refusals can be tested.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The sub-protocol's name.
pub const PROTOCOL: &str = "graphql-transport-ws";
/// The longest that a test waits for one message.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
#[derive(Debug)]
pub struct GraphqlSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What the server sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    Ack(Value),
    Next {
        id: String,
        payload: Value,
    },
    Error {
        id: String,
        errors: Value,
    },
    Complete {
        id: String,
    },
    Ping,
    Pong,
    /// The connection is over. A connection cut without a close frame has the code 1006, as in
    /// RFC 6455, section 7.4.1.
    Closed {
        code: u16,
        reason: String,
    },
}

impl GraphqlSocket {
    /// Connects to `/graphql` of `base_url` (`http://…`) with this sub-protocol.
    ///
    /// # Errors
    /// The HTTP status of an answer that is no upgrade.
    pub async fn connect(base_url: &str, protocol: &str) -> Result<Self, u16> {
        let url = base_url.replacen("http", "ws", 1) + "/graphql";
        let request = url.into_client_request().and_then(|mut request| {
            let protocol = HeaderValue::from_str(protocol)?;
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocol);
            Ok(request)
        });
        let request = request.unwrap_or_else(|error| panic!("not a WebSocket request: {error}"));
        match within(connect_async(request)).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no WebSocket: {error}"),
        }
    }

    /// Connects and initialises with an access token, as a signed-in user does.
    pub async fn open(base_url: &str, access_token: &str) -> Self {
        let socket = Self::connect(base_url, PROTOCOL).await;
        let mut socket = socket.unwrap_or_else(|status| panic!("no upgrade: status {status}"));
        let payload = json!({ "Authorization": format!("Bearer {access_token}") });
        let answer = socket.init(payload).await;
        assert!(matches!(answer, Received::Ack(_)), "{answer:?}");
        socket
    }

    /// Sends `connection_init` and returns the answer.
    pub async fn init(&mut self, payload: Value) -> Received {
        let message = json!({ "type": "connection_init", "payload": payload });
        self.send(&message.to_string()).await;
        self.receive().await
    }

    /// Starts the operation `id`.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        let message = json!({ "type": "subscribe", "id": id, "payload": payload });
        self.send(&message.to_string()).await;
    }

    /// Ends the operation `id`.
    pub async fn complete(&mut self, id: &str) {
        self.send(&json!({ "type": "complete", "id": id }).to_string())
            .await;
    }

    /// Sends any text.
    pub async fn send(&mut self, text: &str) {
        let sent = within(self.stream.send(Message::text(text))).await;
        sent.unwrap_or_else(|error| panic!("cannot send {text}: {error}"));
    }

    /// The next message. A ping is answered, and returned all the same.
    pub async fn receive(&mut self) -> Received {
        loop {
            let message = match within(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => return closed(frame),
                // Control frames of WebSocket itself are answered by tungstenite.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return closed(None),
            };
            let received = parse(&message);
            if received == Received::Ping {
                self.send(r#"{"type":"pong"}"#).await;
            }
            return received;
        }
    }

    /// The data of the next result; anything else fails.
    pub async fn next_data(&mut self) -> Value {
        match self.receive().await {
            Received::Next { mut payload, .. } => {
                assert!(payload.get("errors").is_none(), "{payload:#}");
                payload["data"].take()
            }
            other => panic!("not a result: {other:?}"),
        }
    }

    /// Reads on to the end of the connection and returns its close code.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            if let Received::Closed { code, .. } = self.receive().await {
                return code;
            }
        }
    }

    /// Says goodbye with the code 1000.
    pub async fn close(mut self) {
        // The other side may have been faster.
        let _ = within(self.stream.close(None)).await;
    }
}

fn parse(text: &str) -> Received {
    let message: Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON: {error}: {text}"));
    let id = message["id"].as_str().unwrap_or_default().to_owned();
    let payload = message["payload"].clone();
    match message["type"].as_str() {
        Some("connection_ack") => Received::Ack(payload),
        Some("next") => Received::Next { id, payload },
        Some("error") => Received::Error {
            id,
            errors: payload,
        },
        Some("complete") => Received::Complete { id },
        Some("ping") => Received::Ping,
        Some("pong") => Received::Pong,
        _ => panic!("not a message of {PROTOCOL}: {text}"),
    }
}

fn closed(frame: Option<tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> Received {
    let (code, reason) = match frame {
        Some(frame) => (frame.code.into(), frame.reason.to_string()),
        None => (1006, String::new()),
    };
    Received::Closed { code, reason }
}

async fn within<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("nothing from the server for {} s", PATIENCE.as_secs()))
}

#[cfg(test)]
mod tests;
