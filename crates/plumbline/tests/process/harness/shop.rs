//! A customer of the running shop.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use testkit::{
    http::{Client, send},
    ws::{GraphqlSocket, Received},
};
use tokio::time::timeout;

use super::PATIENCE;

pub const DEMO_PASSWORD: &str = "plumbline-demo-password";

/// How each order ends, by what it is paid with.
pub const PAYMENT_METHODS: [(&str, &str); 3] = [
    ("pm_card_visa", "CONFIRMED"),
    ("pm_card_chargeDeclined", "CANCELLED"),
    // Tells by webhook only.
    ("pm_usBankAccount_success", "CONFIRMED"),
];

/// The answer with the tokens of a new session.
pub async fn log_in(auth: &Client, email: &str, password: &str) -> Value {
    let credentials = json!({ "email": email, "password": password });
    let answer = auth.post("/auth/v1/sessions", &credentials).await;
    answer.expect_status(201).json()
}

/// The demo customer, logged in, with something to buy in mind.
pub struct Shop {
    pub client: Client,
    token: String,
    product_id: String,
}

impl Shop {
    pub async fn open(auth_url: &str, gateway_url: &str) -> Self {
        let auth = Client::new(auth_url);
        let session = log_in(&auth, "customer@example.com", DEMO_PASSWORD).await;
        let token = session["access_token"].as_str().unwrap().to_owned();
        let client = Client::new(gateway_url).with_bearer(&token);
        let products: Value = client.get("/v1/products?first=1").await.json();
        let product_id = products["items"][0]["id"].as_str().unwrap().to_owned();
        Self {
            client,
            token,
            product_id,
        }
    }

    /// Places an order and returns its id; `None` when the answer never came. Again with the same
    /// key, it asks for the same order.
    pub async fn try_place(&self, key: &str, payment_method: &str) -> Option<String> {
        let lines = json!([{ "product_id": self.product_id, "quantity": 1 }]);
        let order = json!({ "lines": lines, "payment_method": payment_method });
        let request = self
            .client
            .request("POST".parse().unwrap(), "/v1/orders")
            .header("idempotency-key", key);
        let answer = request.json(&order).send().await.ok()?;
        assert_eq!(answer.status().as_u16(), 201);
        let order: Value = serde_json::from_slice(&answer.bytes().await.ok()?).unwrap();
        Some(order["id"].as_str().unwrap().to_owned())
    }

    pub async fn place(&self, key: &str, payment_method: &str) -> String {
        let order_id = self.try_place(key, payment_method).await;
        order_id.expect("no answer")
    }

    pub async fn status(&self, order_id: &str) -> String {
        let request = self
            .client
            .request("GET".parse().unwrap(), &format!("/v1/orders/{order_id}"));
        let order: Value = send(request).await.expect_status(200).json();
        order["status"].as_str().unwrap().to_owned()
    }

    /// A socket that receives each new state of every order.
    pub async fn watch(&self) -> Watch {
        let mut socket = GraphqlSocket::open(self.client.base_url(), &self.token).await;
        let query = "subscription { myOrders { id status } }";
        socket.subscribe("all", query, json!({})).await;
        Watch {
            socket,
            ended: HashSet::new(),
        }
    }

    /// Waits for the last states of these orders.
    pub async fn ends(&self, order_ids: &[String]) -> HashMap<String, String> {
        let mut ends = HashMap::new();
        for order_id in order_ids {
            let end = timeout(PATIENCE, self.end(order_id)).await;
            if end.is_err() {
                let status = self.status(order_id).await;
                panic!("order {order_id} is still {status}");
            }
            ends.extend(end.map(|end| (order_id.clone(), end)));
        }
        ends
    }

    async fn end(&self, order_id: &str) -> String {
        let mut socket = GraphqlSocket::open(self.client.base_url(), &self.token).await;
        let query = "subscription($id: ID!) { orderUpdated(orderId: $id) { status } }";
        let variables = json!({ "id": order_id });
        socket.subscribe("one", query, variables).await;
        let mut last = String::new();
        loop {
            match socket.receive().await {
                Received::Next { payload, .. } => {
                    let status = &payload["data"]["orderUpdated"]["status"];
                    last = status.as_str().expect("no status").to_owned();
                }
                Received::Complete { .. } => return last,
                Received::Ping => {}
                other => panic!("{order_id} was {last}, then came {other:?}"),
            }
        }
    }
}

/// What happens to the orders, as it happens. Of states that follow each other quickly only the
/// newest may be seen.
pub struct Watch {
    socket: GraphqlSocket,
    ended: HashSet<String>,
}

impl Watch {
    /// Waits until some order is in this state, or at its end.
    pub async fn until(&mut self, status: &str) {
        while self.next_status().await != status && self.ended.is_empty() {}
    }

    /// Waits for so many new states of whichever orders, or for the end of this many orders.
    pub async fn count(&mut self, states: u32, orders: usize) {
        for _ in 0..states {
            self.next_status().await;
            if self.ended.len() == orders {
                return;
            }
        }
    }

    async fn next_status(&mut self) -> String {
        let data = timeout(PATIENCE, self.socket.next_data()).await;
        let data = data.expect("nothing happens to the orders");
        let text = |member: &str| data["myOrders"][member].as_str().unwrap().to_owned();
        let status = text("status");
        if PAYMENT_METHODS.iter().any(|(_, end)| *end == status) {
            self.ended.insert(text("id"));
        }
        status
    }
}
