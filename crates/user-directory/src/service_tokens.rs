//! Tokens with which one service calls another.

use std::{error::Error, future::Future, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::SharedClock;
use reqwest::{Client, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};
use url::Url;

const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_ANSWER: usize = 16 * 1024;
/// A token is replaced this long before it expires, or at half of a shorter life.
const EARLY: TimeDelta = TimeDelta::seconds(30);
/// The least time between two fetches of which the first failed: a caller who asks again at once
/// must not make an issuer that is away busier.
const PAUSE: TimeDelta = TimeDelta::seconds(1);

/// A source of service tokens: one token, kept until shortly before it expires. However many
/// callers wait, one fetches. Clones share the token.
#[derive(Clone)]
pub struct ServiceTokens(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    fetch: Box<Fetch>,
    /// Whoever holds the lock fetches.
    state: Arc<Mutex<State>>,
}

type Fetch = dyn Fn() -> Fetching + Send + Sync;
type Fetching = Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send>>;

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    failed_at: Option<DateTime<Utc>>,
}

struct Kept {
    token: Arc<SecretString>,
    until: DateTime<Utc>,
}

/// What the issuer gave.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    pub access_token: SecretString,
    pub expires_in: Duration,
}

/// With what a service shows the issuer who it is (RFC 6749 §2.3.1).
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    pub token_endpoint: Url,
    /// Without characters that `application/x-www-form-urlencoded` would escape.
    pub client_id: String,
    /// The same.
    pub client_secret: SecretString,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token endpoint can't be reached")]
    Http(#[from] reqwest::Error),
    /// An error of RFC 6749 §5.2: the credentials or what was asked for are wrong.
    #[error("the token endpoint refused: {error}")]
    Refused { error: String },
    #[error("the token endpoint answered with the status {0}")]
    Status(u16),
    #[error("the answer of the token endpoint is larger than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("the answer of the token endpoint is not understood")]
    Malformed(#[from] serde_json::Error),
    #[error("the last attempt to get a token failed a moment ago")]
    JustFailed,
    /// Its credentials are the process's own, so what is wrong is its database.
    #[error("the issuer in this process failed")]
    InProcess(#[source] Box<dyn Error + Send + Sync>),
}

impl TokenError {
    /// Whether a later attempt may succeed by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(_) | Self::JustFailed | Self::InProcess(_) => true,
            Self::Status(status) => *status >= 500 || *status == 429,
            Self::Refused { .. } | Self::TooLarge | Self::Malformed(_) => false,
        }
    }
}

/// RFC 6749 §5.1.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

/// RFC 6749 §5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl ServiceTokens {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Tokens from an issuer that is called as a function.
    pub fn new<F>(clock: SharedClock, fetch: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<IssuedToken, TokenError>> + Send + 'static,
    {
        Self(Arc::new(Inner {
            clock,
            fetch: Box::new(move || Box::pin(fetch())),
            state: Arc::default(),
        }))
    }

    /// Tokens from a token endpoint, by the client credentials grant (RFC 6749 §4.4).
    ///
    /// # Errors
    /// If the TLS backend can't be set up.
    pub fn from_endpoint(
        clock: SharedClock,
        credentials: ClientCredentials,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()?;
        let credentials = Arc::new(credentials);
        Ok(Self::new(clock, move || {
            fetch(http.clone(), Arc::clone(&credentials))
        }))
    }

    pub(crate) async fn token(&self) -> Result<Arc<SecretString>, TokenError> {
        let state = Arc::clone(&self.0.state).lock_owned().await;
        self.kept_or_fetched(state).await
    }

    /// Another token than `refused`, which someone else may have fetched already.
    pub(crate) async fn replace(
        &self,
        refused: &Arc<SecretString>,
    ) -> Result<Arc<SecretString>, TokenError> {
        let mut state = Arc::clone(&self.0.state).lock_owned().await;
        state.kept.take_if(|kept| Arc::ptr_eq(&kept.token, refused));
        self.kept_or_fetched(state).await
    }

    async fn kept_or_fetched(
        &self,
        mut state: OwnedMutexGuard<State>,
    ) -> Result<Arc<SecretString>, TokenError> {
        let now = self.0.clock.now();
        if let Some(kept) = state.kept.as_ref().filter(|kept| now < kept.until) {
            return Ok(Arc::clone(&kept.token));
        }
        if state.failed_at.is_some_and(|failed| now - failed < PAUSE) {
            return Err(TokenError::JustFailed);
        }
        let fetching = (self.0.fetch)();
        // In a task of its own: a caller who hangs up takes the token from nobody who waits.
        let fetched = tokio::spawn(async move { state.keep(fetching.await, now) });
        // It ends badly only with the runtime.
        fetched.await.unwrap_or(Err(TokenError::JustFailed))
    }
}

impl State {
    fn keep(
        &mut self,
        fetched: Result<IssuedToken, TokenError>,
        now: DateTime<Utc>,
    ) -> Result<Arc<SecretString>, TokenError> {
        self.failed_at = fetched.is_err().then_some(now);
        let issued = fetched?;
        let token = Arc::new(issued.access_token);
        self.kept = Some(Kept {
            token: Arc::clone(&token),
            until: now + keep_for(issued.expires_in),
        });
        Ok(token)
    }
}

fn keep_for(lifetime: Duration) -> TimeDelta {
    let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::hours(1));
    (lifetime - EARLY).max(lifetime / 2)
}

async fn fetch(
    http: Client,
    credentials: Arc<ClientCredentials>,
) -> Result<IssuedToken, TokenError> {
    let request = http
        .post(credentials.token_endpoint.clone())
        .basic_auth(
            &credentials.client_id,
            Some(credentials.client_secret.expose_secret()),
        )
        .form(&[("grant_type", "client_credentials")]);
    let mut response = request.send().await?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(TokenError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(match serde_json::from_slice(&body) {
            Ok(Refusal { error }) if status.is_client_error() => TokenError::Refused { error },
            _ => TokenError::Status(status.as_u16()),
        });
    }
    let answer: Answer = serde_json::from_slice(&body)?;
    Ok(IssuedToken {
        access_token: answer.access_token.into(),
        expires_in: Duration::from_secs(answer.expires_in),
    })
}
