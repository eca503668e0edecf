use std::time::Duration;

use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder, header::HeaderValue, redirect};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::{
    CreateIntent, CreateRefund, Intent, ListIntents, Page, PaymentError, Refund, answer::receive,
};

/// The version of Stripe's API that this client speaks, sent with every call.
pub const API_VERSION: &str = "2025-03-31.basil";

/// How long Stripe keeps an idempotency key. Repeated later, a call is a new one.
pub const IDEMPOTENCY_KEY_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Shorter than servers keep an idle connection, so that none is closed under a request, which
/// would leave a charge unknown.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or where a double answers.
    pub base_url: Url,
    pub secret_key: SecretString,
    /// For a whole call, from connecting to the last byte of the answer.
    pub timeout: Duration,
    pub connect_timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum StripeConfigError {
    #[error("the payment provider's address {0} is not an http or https URL")]
    Address(Url),
    #[error("the payment provider's secret key can't be sent in a header")]
    SecretKey,
    #[error("the HTTP client can't be built")]
    Client(#[source] reqwest::Error),
}

/// A client of Stripe's API. Cheap to clone; clones share their connections.
///
/// It never repeats a call by itself: when and how often is the caller's to decide.
#[derive(Clone, Debug)]
pub struct Stripe {
    http: reqwest::Client,
    base_url: Url,
    secret_key: SecretString,
}

impl StripeConfig {
    /// With a timeout of 10 s, of which 2 s to connect.
    #[must_use]
    pub fn new(base_url: Url, secret_key: SecretString) -> Self {
        Self {
            base_url,
            secret_key,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
        }
    }
}

impl Stripe {
    pub fn new(config: StripeConfig) -> Result<Self, StripeConfigError> {
        if !matches!(config.base_url.scheme(), "http" | "https") {
            return Err(StripeConfigError::Address(config.base_url));
        }
        if HeaderValue::from_str(config.secret_key.expose_secret()).is_err() {
            return Err(StripeConfigError::SecretKey);
        }
        let mut builder = reqwest::Client::builder()
            .timeout(config.timeout)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("plumbline/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&config.base_url) {
            // A proxy from the environment can't reach this machine's own loopback.
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().map_err(StripeConfigError::Client)?,
            base_url: config.base_url,
            secret_key: config.secret_key,
        })
    }

    /// Charges: creates an intent and confirms it. The answered status is `succeeded`, or
    /// `processing` where the bank takes its time.
    pub async fn create_intent(&self, request: &CreateIntent) -> Result<Intent, PaymentError> {
        let form = [
            ("amount", request.amount.amount.to_string()),
            (
                "currency",
                request.amount.currency.code().to_ascii_lowercase(),
            ),
            ("payment_method", request.payment_method.clone()),
            ("confirm", "true".to_owned()),
            // Nobody is there to be redirected or asked: an attempt that needs it is declined.
            ("automatic_payment_methods[enabled]", "true".to_owned()),
            (
                "automatic_payment_methods[allow_redirects]",
                "never".to_owned(),
            ),
            ("error_on_requires_action", "true".to_owned()),
            ("metadata[order_id]", request.order_id.to_string()),
        ];
        let call = self
            .request(
                Method::POST,
                &["payment_intents"],
                request.traceparent.as_deref(),
            )
            .header("Idempotency-Key", &request.idempotency_key)
            .form(&form);
        receive(call).await
    }

    /// The intent's present state. An id the provider doesn't know is
    /// [`PaymentError::Rejected`] with the code `resource_missing`.
    pub async fn retrieve_intent(
        &self,
        intent_id: &str,
        traceparent: Option<&str>,
    ) -> Result<Intent, PaymentError> {
        receive(self.request(Method::GET, &["payment_intents", intent_id], traceparent)).await
    }

    pub async fn list_intents(&self, list: &ListIntents) -> Result<Page<Intent>, PaymentError> {
        let mut query = vec![
            ("created[gte]", list.created_from.timestamp().to_string()),
            ("limit", list.limit.to_string()),
        ];
        if let Some(before) = list.created_before {
            query.push(("created[lt]", before.timestamp().to_string()));
        }
        if let Some(last) = &list.starting_after {
            query.push(("starting_after", last.clone()));
        }
        let call = self
            .request(Method::GET, &["payment_intents"], None)
            .query(&query);
        receive(call).await
    }

    /// Refunds all that the intent received. A second refund under another key is
    /// [`PaymentError::Rejected`] with the code `charge_already_refunded`.
    pub async fn refund(&self, request: &CreateRefund) -> Result<Refund, PaymentError> {
        let call = self
            .request(Method::POST, &["refunds"], request.traceparent.as_deref())
            .header("Idempotency-Key", &request.idempotency_key)
            .form(&[("payment_intent", &request.intent_id)]);
        receive(call).await
    }

    /// The refunds of an intent, newest first; at most 100.
    pub async fn list_refunds(&self, intent_id: &str) -> Result<Page<Refund>, PaymentError> {
        let call = self
            .request(Method::GET, &["refunds"], None)
            .query(&[("payment_intent", intent_id), ("limit", "100")]);
        receive(call).await
    }

    /// A page of all refunds, newest first, after the last one of the page before; at most 100.
    pub async fn list_all_refunds(
        &self,
        starting_after: Option<&str>,
    ) -> Result<Page<Refund>, PaymentError> {
        let mut query = vec![("limit", "100")];
        if let Some(last) = starting_after {
            query.push(("starting_after", last));
        }
        let call = self.request(Method::GET, &["refunds"], None).query(&query);
        receive(call).await
    }

    fn request(&self, method: Method, path: &[&str], traceparent: Option<&str>) -> RequestBuilder {
        let mut url = self.base_url.clone();
        // An http(s) URL, which `new` asked for, always has path segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let request = self
            .http
            .request(method, url)
            .bearer_auth(self.secret_key.expose_secret())
            .header("Stripe-Version", API_VERSION);
        match traceparent {
            Some(traceparent) => request.header("traceparent", traceparent),
            None => request,
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
