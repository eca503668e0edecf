//! A client of graphql-transport-ws, frame by frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than any wait in these tests should be.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// The server's close frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    pub code: u16,
    pub reason: String,
}

impl Socket {
    pub async fn open(address: &str) -> Self {
        Self::try_open(address, Some("graphql-transport-ws"))
            .await
            .unwrap()
    }

    /// Opens a connection that offers `subprotocol`.
    pub async fn try_open(address: &str, subprotocol: Option<&str>) -> Result<Self, Error> {
        let header = subprotocol.map(|subprotocol| ("sec-websocket-protocol", subprotocol));
        Self::try_open_with(address, header.as_slice()).await
    }

    /// Opens a connection whose handshake has these headers, as browsers add them.
    pub async fn open_with(address: &str, headers: &[(&'static str, &str)]) -> Self {
        let subprotocol = ("sec-websocket-protocol", "graphql-transport-ws");
        let headers: Vec<_> = headers.iter().copied().chain([subprotocol]).collect();
        Self::try_open_with(address, &headers).await.unwrap()
    }

    async fn try_open_with(address: &str, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request: Request = format!("ws://{address}/graphql")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, _) = connect_async(request).await?;
        Ok(Self(stream))
    }

    pub async fn init(&mut self, authorization: &str) {
        self.send_init(authorization).await;
        assert_eq!(self.receive().await, json!({"type": "connection_ack"}));
    }

    pub async fn send_init(&mut self, authorization: &str) {
        let payload = json!({ "Authorization": authorization });
        self.send(&json!({"type": "connection_init", "payload": payload}))
            .await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.send(&json!({"type": "subscribe", "id": id, "payload": payload}))
            .await;
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next message of the protocol.
    pub async fn receive(&mut self) -> Value {
        match self.frame().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("no message but {other:?}"),
        }
    }

    /// Reads until the server closes the connection.
    pub async fn closed(&mut self) -> Closed {
        loop {
            match self.frame().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    let (code, reason) = (frame.code.into(), frame.reason.to_string());
                    return Closed { code, reason };
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame but {other:?}"),
            }
        }
    }

    /// The next frame that is no ping; `None` or an error when the connection is gone.
    pub async fn frame(&mut self) -> Option<Result<Message, Error>> {
        loop {
            match timeout(PATIENCE, self.0.next())
                .await
                .expect("the server is silent")
            {
                Some(Ok(Message::Ping(_))) => {}
                frame => return frame,
            }
        }
    }
}
