use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use kernel::{Breaker, BreakerPolicy, SharedClock};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Client, StatusCode, redirect};
use tokio::sync::Semaphore;
use url::Url;

use super::address::{AddressPolicy, RefusedUrl};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Of an answer. Metadata, key sets and tokens have a few kilobytes.
const MAX_BODY_BYTES: usize = 128 * 1024;
/// Requests to one provider at a time.
const MAX_IN_FLIGHT: usize = 32;
/// When a provider that fails is left alone.
const BREAKER: BreakerPolicy = BreakerPolicy {
    threshold: 3,
    first_pause: TimeDelta::seconds(5),
    longest_pause: TimeDelta::minutes(2),
};
/// What a caller is told to wait where nothing better is known.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Speaks to one provider: to admitted addresses only, without following redirects or using a
/// proxy, and with a bound on everything. It stops asking a provider that fails again and again.
#[derive(Clone)]
pub(super) struct ProviderHttp {
    client: Client,
    addresses: AddressPolicy,
    in_flight: Arc<Semaphore>,
    breaker: Arc<Mutex<Breaker>>,
    clock: SharedClock,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the URL {url} is refused")]
    Refused { url: String, source: RefusedUrl },
    #[error("the provider failed again and again, and is left alone for a while")]
    LeftAlone { retry_after: Duration },
    #[error("too many requests to this provider are under way")]
    Busy,
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the provider answered {0}")]
    Status(StatusCode),
    #[error("the answer has more than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    #[error("the request or its answer can't be put into words")]
    Malformed(#[from] http::Error),
}

impl HttpError {
    /// How long to wait before it makes sense to try again.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::LeftAlone { retry_after } => *retry_after,
            Self::Busy => Duration::from_secs(1),
            Self::Refused { .. }
            | Self::Request(_)
            | Self::Status(_)
            | Self::TooLarge
            | Self::Malformed(_) => RETRY_AFTER,
        }
    }
}

impl ProviderHttp {
    /// # Errors
    /// If the TLS backend can't be set up.
    pub(super) fn new(
        addresses: AddressPolicy,
        timeout: Duration,
        clock: SharedClock,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .dns_resolver(addresses)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .pool_max_idle_per_host(2)
            .user_agent(concat!("plumbline/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            addresses,
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            breaker: Arc::new(Mutex::new(Breaker::new(BREAKER))),
            clock,
        })
    }

    /// Whether a URL of this provider is acceptable, as far as it can be told without resolving it.
    pub(super) fn check(&self, url: &Url) -> Result<(), HttpError> {
        let refused = |source| HttpError::Refused {
            url: url.to_string(),
            source,
        };
        self.addresses.check(url).map_err(refused)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        self.check(request.url())?;
        let _permit = self.in_flight.try_acquire().map_err(|_| HttpError::Busy)?;
        self.with_breaker(|breaker| breaker.admit(self.clock.now()))
            .map_err(|retry_after| HttpError::LeftAlone { retry_after })?;
        let answer = self.exchange(request).await;
        self.with_breaker(|breaker| match &answer {
            Ok(_) => breaker.succeeded(),
            Err(_) => breaker.failed(self.clock.now()),
        });
        answer
    }

    /// An answer that says that the provider is in trouble is an error, like none.
    async fn exchange(&self, request: reqwest::Request) -> Result<HttpResponse, HttpError> {
        let mut response = self.client.execute(request).await?;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(HttpError::Status(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::builder().status(status);
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        Ok(answer.body(body)?)
    }

    fn with_breaker<T>(&self, work: impl FnOnce(&mut Breaker) -> T) -> T {
        work(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
