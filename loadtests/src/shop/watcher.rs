//! Watches orders over one WebSocket, by graphql-transport-ws: the way a page follows an order, and
//! the exact one, since the news is pushed instead of found by the next poll.
//!
//! Protocol: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

use std::collections::HashMap;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use super::OrderStatus;
use super::shopper::connection_payload;
use crate::failure::Failure;

/// The gateway allows 100 subscriptions on a connection.
const MAX_SUBSCRIPTIONS: usize = 90;
const READ_BUFFER_BYTES: usize = 4 * 1024;
const SUBSCRIPTION: &str = "subscription OrderUpdated($orderId: ID!) {
  orderUpdated(orderId: $orderId) { id status }
}";

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects at the first use, and again after the connection was lost.
#[derive(Debug)]
pub struct OrderWatcher {
    gateway: Url,
    permits: Semaphore,
    connection: Mutex<Option<mpsc::Sender<Watch>>>,
}

/// One order to watch. Dropping the other end of `ended` ends the subscription.
#[derive(Debug)]
struct Watch {
    order_id: String,
    ended: oneshot::Sender<Result<OrderStatus, Failure>>,
}

impl OrderWatcher {
    #[must_use]
    pub fn new(gateway: Url) -> Self {
        Self {
            gateway,
            permits: Semaphore::new(MAX_SUBSCRIPTIONS),
            connection: Mutex::new(None),
        }
    }

    /// Opens the connection, so that the first order does not pay for it.
    ///
    /// # Errors
    /// When the gateway does not accept it.
    pub async fn connect(&self, access_token: &str) -> Result<(), Failure> {
        self.connection(access_token).await.map(drop)
    }

    /// Waits until the order is confirmed or has ended otherwise. Unbounded: the caller sets the
    /// time limit, and cancelling this ends the subscription.
    ///
    /// # Errors
    /// When the subscription is refused or the connection lost.
    pub async fn watch(&self, access_token: &str, order_id: &str) -> Result<OrderStatus, Failure> {
        let lost = || Failure::Subscription("the connection was lost".to_owned());
        let _permit = self.permits.acquire().await.map_err(|_| lost())?;
        let connection = self.connection(access_token).await?;
        let (ended, result) = oneshot::channel();
        let watch = Watch {
            order_id: order_id.to_owned(),
            ended,
        };
        connection.send(watch).await.map_err(|_| lost())?;
        result.await.map_err(|_| lost())?
    }

    async fn connection(&self, access_token: &str) -> Result<mpsc::Sender<Watch>, Failure> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = connection.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(open.clone());
        }
        let socket = open_socket(&self.gateway, access_token)
            .await
            .map_err(subscription_failure)?;
        let (sender, watches) = mpsc::channel(MAX_SUBSCRIPTIONS);
        tokio::spawn(
            Connection {
                socket,
                watches,
                watching: HashMap::new(),
                next_id: 0,
            }
            .run(),
        );
        Ok(connection.insert(sender).clone())
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SocketError {
    #[error(transparent)]
    WebSocket(#[from] tungstenite::Error),
    #[error("expected connection_ack, not {0:?}")]
    NotAcknowledged(Option<Message>),
    #[error("a gateway address without http or https")]
    Scheme,
}

fn subscription_failure(error: SocketError) -> Failure {
    Failure::Subscription(error.to_string())
}

pub(super) async fn open_socket(gateway: &Url, access_token: &str) -> Result<Socket, SocketError> {
    let mut address = gateway.clone();
    let scheme = if gateway.scheme() == "https" {
        "wss"
    } else {
        "ws"
    };
    address
        .set_scheme(scheme)
        .map_err(|()| SocketError::Scheme)?;
    let address = format!("{}/graphql", address.as_str().trim_end_matches('/'));
    let mut request = address.into_client_request()?;
    request.headers_mut().insert(
        "sec-websocket-protocol",
        HeaderValue::from_static("graphql-transport-ws"),
    );
    // The library's default buffer would cost a subscriber 128 KiB.
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let (mut socket, _) = connect_async_with_config(request, Some(config), true).await?;
    let init = json!({ "type": "connection_init", "payload": connection_payload(access_token) });
    socket.send(Message::text(init.to_string())).await?;
    match socket.next().await.transpose()? {
        Some(Message::Text(text)) if Incoming::parse(&text).kind == "connection_ack" => Ok(socket),
        other => Err(SocketError::NotAcknowledged(other)),
    }
}

/// The task that owns the socket. When it ends, every watch on it learns that by its closed channel.
struct Connection {
    socket: Socket,
    watches: mpsc::Receiver<Watch>,
    watching: HashMap<String, oneshot::Sender<Result<OrderStatus, Failure>>>,
    next_id: u64,
}

impl Connection {
    async fn run(mut self) {
        loop {
            let kept = tokio::select! {
                watch = self.watches.recv() => match watch {
                    Some(watch) => self.subscribe(watch).await,
                    None => break,
                },
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.receive(message).await,
                    Some(Err(_)) | None => break,
                },
            };
            if kept.is_err() {
                break;
            }
        }
    }

    async fn subscribe(&mut self, watch: Watch) -> Result<(), tungstenite::Error> {
        self.unsubscribe_abandoned().await?;
        let id = self.next_id.to_string();
        self.next_id += 1;
        let subscribe = json!({
            "id": id,
            "type": "subscribe",
            "payload": { "query": SUBSCRIPTION, "variables": { "orderId": watch.order_id } },
        });
        self.watching.insert(id, watch.ended);
        self.send(subscribe).await
    }

    /// Watches whose operation ran into its time limit.
    async fn unsubscribe_abandoned(&mut self) -> Result<(), tungstenite::Error> {
        let abandoned: Vec<String> = self
            .watching
            .extract_if(|_, ended| ended.is_closed())
            .map(|(id, _)| id)
            .collect();
        for id in abandoned {
            self.send(json!({ "id": id, "type": "complete" })).await?;
        }
        Ok(())
    }

    async fn receive(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        // Pings of the WebSocket itself are answered by tungstenite.
        let Message::Text(text) = message else {
            return Ok(());
        };
        let incoming = Incoming::parse(&text);
        match incoming.kind.as_str() {
            "ping" => return self.send(json!({ "type": "pong" })).await,
            "next" => {
                if let Some(result) = incoming.outcome() {
                    self.end(&incoming.id, result);
                }
            }
            "error" => {
                self.end(
                    &incoming.id,
                    Err(Failure::Subscription(incoming.payload.to_string())),
                );
            }
            "complete" => {
                let early = "completed before the order reached an end".to_owned();
                self.end(&incoming.id, Err(Failure::Subscription(early)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Answers a watch, once: what comes after its end (`complete`, say) finds it gone.
    fn end(&mut self, id: &str, result: Result<OrderStatus, Failure>) {
        if let Some(ended) = self.watching.remove(id) {
            // The other side may have run into its time limit a moment ago.
            let _ = ended.send(result);
        }
    }

    async fn send(&mut self, message: Value) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::text(message.to_string())).await
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Incoming {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) payload: Value,
}

impl Incoming {
    /// What is not a message of the protocol has an empty kind, and is ignored.
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// None while the order is still on its way.
    fn outcome(&self) -> Option<Result<OrderStatus, Failure>> {
        if let Some(errors) = self.payload.get("errors") {
            return Some(Err(Failure::Subscription(errors.to_string())));
        }
        let status = self
            .payload
            .pointer("/data/orderUpdated/status")
            .and_then(Value::as_str);
        match status.map(OrderStatus::from) {
            Some(status) if status.is_end() => Some(Ok(status)),
            Some(_) => None,
            None => Some(Err(Failure::Subscription(
                "an update without a status".to_owned(),
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(payload: Value) -> Option<Result<OrderStatus, Failure>> {
        let message = json!({ "type": "next", "id": "1", "payload": payload });
        Incoming::parse(&message.to_string()).outcome()
    }

    #[test]
    fn updates_end_a_watch_only_at_the_orders_end() {
        let update = |status| json!({ "data": { "orderUpdated": { "status": status } } });
        assert!(outcome(update("PAYMENT_PENDING")).is_none());
        assert_eq!(
            outcome(update("CONFIRMED")).unwrap().unwrap(),
            OrderStatus::Confirmed
        );
        assert!(matches!(
            outcome(update("REJECTED")),
            Some(Ok(OrderStatus::Failed(_)))
        ));
    }

    #[test]
    fn an_update_with_errors_is_a_failure() {
        let partly = json!({ "data": null, "errors": [{ "message": "gone" }] });
        assert!(matches!(
            outcome(partly),
            Some(Err(Failure::Subscription(_)))
        ));
        assert!(matches!(
            outcome(json!({ "data": {} })),
            Some(Err(Failure::Subscription(_)))
        ));
    }
}
