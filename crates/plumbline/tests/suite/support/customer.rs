//! A person who has registered and logged in.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    http::{Client, send},
    ws::{GraphqlSocket, Received},
};
use uuid::Uuid;

use super::System;

pub const PASSWORD: &str = "correct horse battery staple";

const WATCH: &str = "subscription($id: ID!) { orderUpdated(orderId: $id) { id status } }";

pub struct Customer {
    pub email: String,
    pub access_token: String,
    /// With the access token, as [`Self::gateway`].
    pub auth: Client,
    pub gateway: Client,
}

/// What `POST /v1/orders` takes: some pieces of one product.
pub fn order_body(product_id: &str, quantity: i64, payment_method: &str) -> Value {
    json!({
        "lines": [{"product_id": product_id, "quantity": quantity}],
        "payment_method": payment_method,
    })
}

impl System {
    /// Registers a person, confirms the address and logs in.
    pub async fn customer(&self, name: &str) -> Customer {
        let email = format!("{name}@plumbline.test");
        let registration = json!({"email": email, "password": PASSWORD, "name": name});
        let registered = self.auth.post("/auth/v1/users", &registration).await;
        let _ = registered.expect_status(202);
        let token = json!({ "token": self.mail.token(&email).await });
        let path = "/auth/v1/email-verifications/confirm";
        let _ = self.auth.post(path, &token).await.expect_status(204);
        let credentials = json!({"email": email, "password": PASSWORD});
        let session = self.auth.post("/auth/v1/sessions", &credentials).await;
        let session: Value = session.expect_status(201).json();
        let access_token = session["access_token"].as_str().unwrap().to_owned();
        Customer {
            auth: self.auth.with_bearer(&access_token),
            gateway: self.gateway.with_bearer(&access_token),
            email,
            access_token,
        }
    }
}

impl Customer {
    /// Another session of the same person.
    pub async fn log_in_again(&self, system: &System) -> Client {
        let credentials = json!({"email": self.email, "password": PASSWORD});
        let session = system.auth.post("/auth/v1/sessions", &credentials).await;
        let session: Value = session.expect_status(201).json();
        self.auth
            .with_bearer(session["access_token"].as_str().unwrap())
    }

    pub async fn user_id(&self) -> Uuid {
        let me: Value = self.auth.get("/auth/v1/me").await.expect_status(200).json();
        me["id"].as_str().unwrap().parse().unwrap()
    }

    /// The client of the service that owns a path.
    pub fn at(&self, path: &str) -> &Client {
        if path.starts_with("/auth") {
            &self.auth
        } else {
            &self.gateway
        }
    }

    /// Places an order for one piece over REST.
    pub async fn place(&self, product_id: &str, payment_method: &str) -> Value {
        let request = self
            .gateway
            .request(Method::POST, "/v1/orders")
            .header("idempotency-key", Uuid::new_v4().to_string())
            .json(&order_body(product_id, 1, payment_method));
        send(request).await.expect_status(201).json()
    }

    /// An order over REST.
    pub async fn order(&self, id: &str) -> Value {
        let path = format!("/v1/orders/{id}");
        self.gateway.get(&path).await.expect_status(200).json()
    }

    /// How many orders the customer has, of the newest hundred.
    pub async fn order_count(&self) -> usize {
        let page = self.gateway.get("/v1/orders?first=100").await;
        let page: Value = page.expect_status(200).json();
        page["items"].as_array().unwrap().len()
    }

    /// Watches an order over graphql-transport-ws until the server says that it has ended, and
    /// returns the last state.
    pub async fn watch_to_the_end(&self, order_id: &str) -> String {
        let mut socket = GraphqlSocket::open(self.gateway.base_url(), &self.access_token).await;
        socket.subscribe("1", WATCH, json!({"id": order_id})).await;
        let mut last = None;
        let last = loop {
            match socket.receive().await {
                Received::Next { payload, .. } => {
                    let update = &payload["data"]["orderUpdated"];
                    assert_eq!(update["id"], order_id, "{payload:#}");
                    last = update["status"].as_str().map(str::to_owned);
                }
                Received::Complete { .. } => break last,
                Received::Ping => {}
                other => panic!("not an update: {other:?}"),
            }
        };
        socket.close().await;
        last.expect("the present state comes first")
    }
}
