//! People who shop: their credentials, sessions and tokens.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::client::{self, ShopClient};
use super::watcher::OrderWatcher;
use crate::failure::Failure;

/// What a person types in.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub email: String,
    pub password: String,
}

/// One logged-in session.
#[derive(Debug)]
pub struct Shopper {
    pub credentials: Credentials,
    access_token: RwLock<Arc<str>>,
    /// Rotates at each use. Two uses at once would look like theft and end the session, so the
    /// lock is held over the request, as in a browser that refreshes in one tab.
    refresh_token: Mutex<String>,
    token_life: Duration,
    pub watcher: OrderWatcher,
}

impl Shopper {
    /// Opens a session.
    ///
    /// # Errors
    /// When the log-in is refused or not answered.
    pub async fn log_in(client: &ShopClient, credentials: Credentials) -> Result<Self, Failure> {
        let tokens = open_session(client, &credentials).await?;
        Ok(Self {
            credentials,
            access_token: RwLock::new(tokens.access_token.into()),
            refresh_token: Mutex::new(tokens.refresh_token),
            token_life: Duration::from_secs(tokens.expires_in),
            watcher: OrderWatcher::new(client.targets().gateway.clone()),
        })
    }

    #[must_use]
    pub fn access_token(&self) -> Arc<str> {
        Arc::clone(
            &self
                .access_token
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// How long an access token lives.
    #[must_use]
    pub fn token_life(&self) -> Duration {
        self.token_life
    }

    /// Exchanges the refresh token for a new pair. After a failure the old token is kept: when the
    /// answer was lost, the server lets it be used again for a short while.
    ///
    /// # Errors
    /// When the refresh is refused or not answered.
    pub async fn refresh(&self, client: &ShopClient) -> Result<(), Failure> {
        let mut refresh_token = self.refresh_token.lock().await;
        let request = client
            .auth(Method::POST, "/auth/v1/tokens/refresh")
            .json(&json!({ "refresh_token": *refresh_token }));
        let tokens: Tokens = client::json(request, StatusCode::OK).await?;
        *refresh_token = tokens.refresh_token;
        let mut access_token = self
            .access_token
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *access_token = tokens.access_token.into();
        Ok(())
    }
}

/// `POST /auth/v1/sessions`.
///
/// # Errors
/// When the log-in is refused or not answered.
pub async fn open_session(
    client: &ShopClient,
    credentials: &Credentials,
) -> Result<Tokens, Failure> {
    let request = client.auth(Method::POST, "/auth/v1/sessions").json(&json!({
        "email": credentials.email,
        "password": credentials.password,
    }));
    client::json(request, StatusCode::CREATED).await
}

/// Registers a person and confirms the address with the token from the development mailbox.
///
/// # Errors
/// When a step is refused, or the mail does not come within some seconds.
pub async fn register(client: &ShopClient) -> Result<Credentials, Failure> {
    let id = Uuid::new_v4();
    let credentials = Credentials {
        email: format!("load-{}@example.com", id.simple()),
        // Long, and like neither name nor address: any policy takes it.
        password: Uuid::new_v4().to_string(),
    };
    let registration = client.auth(Method::POST, "/auth/v1/users").json(&json!({
        "email": credentials.email,
        "password": credentials.password,
        "name": "A load tester",
    }));
    client::body(registration, StatusCode::ACCEPTED).await?;
    let token = mailed_token(client, &credentials.email).await?;
    let confirmation = client
        .auth(Method::POST, "/auth/v1/email-verifications/confirm")
        .json(&json!({ "token": token }));
    client::body(confirmation, StatusCode::NO_CONTENT).await?;
    Ok(credentials)
}

/// The mail is sent after the answer: asks until it is there.
async fn mailed_token(client: &ShopClient, email: &str) -> Result<String, Failure> {
    const ATTEMPTS: u32 = 50;
    for _ in 0..ATTEMPTS {
        let request = client
            .auth(Method::GET, "/dev/mailbox")
            .query(&[("to", email)]);
        let mailbox: Mailbox = client::json(request, StatusCode::OK).await?;
        if let Some(token) = mailbox.mails.into_iter().find_map(|mail| mail.token) {
            return Ok(token);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Failure::UnexpectedAnswer(
        "no verification mail came within 5 s".to_owned(),
    ))
}

/// What a log-in or a refresh answers.
#[derive(Debug, Deserialize)]
pub struct Tokens {
    access_token: String,
    refresh_token: String,
    /// Seconds.
    expires_in: u64,
}

#[derive(Deserialize)]
struct Mailbox {
    mails: Vec<Mail>,
}

#[derive(Deserialize)]
struct Mail {
    token: Option<String>,
}

/// The first message of graphql-transport-ws carries the token, since a browser cannot set headers
/// on a WebSocket.
#[must_use]
pub fn connection_payload(access_token: &str) -> Value {
    json!({ "Authorization": format!("Bearer {access_token}") })
}
