use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::SharedClock;
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
        CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    http::{HttpError, ProviderHttp},
    provider::ProviderError,
};

/// What is older is fetched again.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// What is older is not used any more, even if the provider is away.
const USABLE: TimeDelta = TimeDelta::hours(1);
/// The least time between two fetches while there is something usable: a token with an unknown
/// key costs its sender nothing, so it must cost the provider next to nothing.
const MIN_INTERVAL: TimeDelta = TimeDelta::seconds(30);
/// The same while there is nothing.
const MIN_INTERVAL_AT_START: TimeDelta = TimeDelta::seconds(5);

/// What OpenID Connect Discovery 1.0 says of a provider, and its keys.
pub(super) type Metadata = ProviderMetadata<
    ResponseIssuer,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// RFC 9207 §3.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct ResponseIssuer {
    /// Whether `iss` is in every authorization response.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for ResponseIssuer {}

/// A provider's metadata: fetched on first use, kept for a bounded time, and fetched by one caller
/// however many wait for it.
pub(super) struct MetadataCache {
    shared: Arc<Shared>,
    /// When a fetch was last tried. Whoever holds the lock fetches.
    last_try: Arc<Mutex<Option<DateTime<Utc>>>>,
}

struct Shared {
    issuer: IssuerUrl,
    http: ProviderHttp,
    clock: SharedClock,
    fetched: RwLock<Option<Fetched>>,
}

#[derive(Clone)]
struct Fetched {
    metadata: Arc<Metadata>,
    at: DateTime<Utc>,
}

impl MetadataCache {
    pub(super) fn new(issuer: IssuerUrl, http: ProviderHttp, clock: SharedClock) -> Self {
        let shared = Shared {
            issuer,
            http,
            clock,
            fetched: RwLock::new(None),
        };
        Self {
            shared: Arc::new(shared),
            last_try: Arc::default(),
        }
    }

    /// What is there if it is fresh. Of those who find it stale one fetches, and the others go on
    /// with what there is, or wait if there is nothing usable.
    pub(super) async fn get(&self) -> Result<Arc<Metadata>, ProviderError> {
        if let Some(fresh) = self.shared.younger_than(FRESH) {
            return Ok(fresh);
        }
        let last_try = Arc::clone(&self.last_try);
        match (self.shared.younger_than(USABLE), last_try.try_lock_owned()) {
            (Some(usable), Err(_)) => Ok(usable),
            (_, Ok(last_try)) => self.fetch_if_due(last_try).await,
            (None, Err(_)) => self.refreshed().await,
        }
    }

    /// Fetches again unless that was tried just now: the keys may have changed.
    pub(super) async fn refreshed(&self) -> Result<Arc<Metadata>, ProviderError> {
        let last_try = Arc::clone(&self.last_try).lock_owned().await;
        self.fetch_if_due(last_try).await
    }

    async fn fetch_if_due(
        &self,
        mut last_try: OwnedMutexGuard<Option<DateTime<Utc>>>,
    ) -> Result<Arc<Metadata>, ProviderError> {
        let now = self.shared.clock.now();
        let usable = self.shared.younger_than(USABLE);
        let min_interval = match usable {
            Some(_) => MIN_INTERVAL,
            None => MIN_INTERVAL_AT_START,
        };
        let due = last_try.map_or(now, |tried| tried + min_interval);
        if due > now {
            let retry_after = (due - now).to_std().unwrap_or_default();
            return usable.ok_or(ProviderError::LeftAlone { retry_after });
        }
        *last_try = Some(now);
        let shared = Arc::clone(&self.shared);
        // In a task of its own: a caller who hangs up must not end the fetch for all who wait.
        let fetching = tokio::spawn(async move {
            let fetched = shared.fetch_and_keep(now).await;
            drop(last_try);
            fetched
        });
        let retry_after = Duration::from_secs(1);
        match fetching.await {
            Ok(Ok(metadata)) => Ok(metadata),
            Ok(Err(error)) => usable.ok_or(ProviderError::Discovery(Box::new(error))),
            // The task ends badly only with the runtime.
            Err(_) => usable.ok_or(ProviderError::LeftAlone { retry_after }),
        }
    }
}

impl Shared {
    fn younger_than(&self, age: TimeDelta) -> Option<Arc<Metadata>> {
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let fetched = fetched.as_ref()?;
        (self.clock.now() - fetched.at < age).then(|| Arc::clone(&fetched.metadata))
    }

    async fn fetch_and_keep(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Arc<Metadata>, DiscoveryError<HttpError>> {
        let fetched = Metadata::discover_async(self.issuer.clone(), &self.http).await;
        let outcome = if fetched.is_ok() { "ok" } else { "failed" };
        metrics::counter!("plumbline_external_discoveries_total", "outcome" => outcome)
            .increment(1);
        let metadata = fetched.map(Arc::new).inspect_err(|error| {
            let cause = service_kit::problem::chain(error);
            let issuer = self.issuer.as_str();
            tracing::warn!(
                issuer,
                cause,
                "an external provider's metadata can't be fetched"
            );
        })?;
        let fetched = Fetched {
            metadata: Arc::clone(&metadata),
            at: now,
        };
        *self.fetched.write().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
        Ok(metadata)
    }
}
