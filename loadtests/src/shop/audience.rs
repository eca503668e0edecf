//! Many subscribers at once, each with a WebSocket of its own: most wait for news that never comes,
//! the others hear of every order of one shopper.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::stream;
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use kernel::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use super::watcher::{Incoming, Socket, open_socket};
use crate::failure::Failure;
use crate::latency::{LatencyHistogram, LatencySummary};

/// Connections that are being opened at a time.
const OPENED_AT_ONCE: usize = 32;
/// How long one may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
const SUBSCRIPTION: &str = "subscription MyOrders { myOrders { id status updatedAt } }";

/// How many subscribers a profile has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AudienceSize {
    /// They wait in vain.
    pub idle: usize,
    /// They hear of every order.
    pub listening: usize,
}

/// What was measured of an audience.
#[derive(Clone, Debug, Serialize)]
pub struct AudienceFigures {
    pub size: AudienceSize,
    /// From the first connection until the last subscription stood.
    pub opened_in_s: f64,
    /// What the process that holds the connections grew by for each, if it was watched.
    pub bytes_per_subscriber: Option<f64>,
    /// From the moment an order came into a state until a subscriber was told.
    pub delivery: LatencySummary,
    /// Connections that the server ended.
    pub lost: usize,
}

/// Subscribers who are connected. They go when this is dropped.
#[derive(Debug)]
pub struct Audience {
    size: AudienceSize,
    opened_in: Duration,
    heard: Arc<Heard>,
    /// Ended when dropped.
    _subscribers: JoinSet<()>,
}

/// What all listeners have heard.
#[derive(Debug)]
struct Heard {
    delivery: Mutex<LatencyHistogram>,
    /// How many know that an order is confirmed.
    confirmed: Mutex<HashMap<String, usize>>,
    news: Notify,
    lost: AtomicUsize,
}

impl Audience {
    /// Connects the idle as whoever has the first token, the listening by the second, and waits
    /// until every subscription stands.
    ///
    /// # Errors
    /// When the gateway refuses one.
    pub async fn assemble(
        gateway: &Url,
        size: AudienceSize,
        idle_token: &str,
        listening_token: &str,
    ) -> Result<Self, Failure> {
        let started = Instant::now();
        let tokens = std::iter::repeat_n(idle_token, size.idle)
            .chain(std::iter::repeat_n(listening_token, size.listening));
        let opening = tokens.map(|token| async move {
            tokio::time::timeout(OPEN_TIMEOUT, subscribe(gateway, token))
                .await
                .unwrap_or(Err(Failure::TimedOut))
        });
        let sockets: Vec<Socket> = stream::iter(opening)
            .buffer_unordered(OPENED_AT_ONCE)
            .try_collect()
            .await?;
        let heard = Arc::new(Heard {
            delivery: Mutex::new(LatencyHistogram::precise()),
            confirmed: Mutex::default(),
            news: Notify::new(),
            lost: AtomicUsize::new(0),
        });
        let mut subscribers = JoinSet::new();
        for socket in sockets {
            subscribers.spawn(listen(socket, Arc::clone(&heard)));
        }
        Ok(Self {
            size,
            opened_in: started.elapsed(),
            heard,
            _subscribers: subscribers,
        })
    }

    /// Waits until every listener knows that the order is confirmed. Unbounded: the caller sets the
    /// time limit.
    pub async fn knows_of(&self, order_id: &str) {
        loop {
            let news = self.heard.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let known = lock(&self.heard.confirmed).get(order_id).copied();
            if known.unwrap_or_default() >= self.size.listening {
                lock(&self.heard.confirmed).remove(order_id);
                return;
            }
            news.await;
        }
    }

    /// `growth` is what the gateway's process grew by while the audience came, in bytes.
    #[must_use]
    pub fn figures(&self, growth: Option<u64>) -> AudienceFigures {
        let subscribers = (self.size.idle + self.size.listening).max(1);
        AudienceFigures {
            size: self.size,
            opened_in_s: self.opened_in.as_secs_f64(),
            bytes_per_subscriber: growth.map(|bytes| bytes as f64 / subscribers as f64),
            delivery: lock(&self.heard.delivery).summary(),
            lost: self.heard.lost.load(Ordering::Relaxed),
        }
    }
}

/// A connection whose subscription stands: what is asked later is answered later.
async fn subscribe(gateway: &Url, token: &str) -> Result<Socket, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::Subscription(error.to_string());
    let mut socket = open_socket(gateway, token).await.map_err(|e| failed(&e))?;
    for (id, document) in [("orders", SUBSCRIPTION), ("probe", "{ __typename }")] {
        let payload = json!({ "query": document });
        let message = json!({ "id": id, "type": "subscribe", "payload": payload });
        let sent = socket.send(Message::text(message.to_string())).await;
        sent.map_err(|error| failed(&error))?;
    }
    loop {
        let message = socket.next().await.transpose();
        let Some(message) = message.map_err(|error| failed(&error))? else {
            return Err(Failure::Subscription("the connection was lost".to_owned()));
        };
        let Message::Text(text) = message else {
            continue;
        };
        let incoming = Incoming::parse(&text);
        match incoming.kind.as_str() {
            "complete" if incoming.id == "probe" => return Ok(socket),
            "error" => return Err(Failure::Subscription(incoming.payload.to_string())),
            _ => {}
        }
    }
}

async fn listen(mut socket: Socket, heard: Arc<Heard>) {
    // Pings of the WebSocket itself are answered by tungstenite.
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            heard.tell(&text, SystemClock.now());
        }
    }
    heard.lost.fetch_add(1, Ordering::Relaxed);
}

impl Heard {
    fn tell(&self, text: &str, now: DateTime<Utc>) {
        let Ok(Told { payload }) = serde_json::from_str::<Told>(text) else {
            return;
        };
        let order = payload.data.my_orders;
        let took = (now - order.updated_at).to_std().unwrap_or_default();
        lock(&self.delivery).record(took);
        if order.status == "CONFIRMED" {
            *lock(&self.confirmed).entry(order.id).or_default() += 1;
            self.news.notify_waiters();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counters stay usable whatever a panicking holder left behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Deserialize)]
struct Told {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    my_orders: ToldOrder,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldOrder {
    id: String,
    status: String,
    updated_at: DateTime<Utc>,
}
