use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::SharedClock;
use reqwest::{Client, redirect};
use tokio::sync::{Mutex, OwnedMutexGuard};
use url::Url;

use super::{KeyError, KeySet, MAX_AGE, REFETCH_INTERVAL, VerifyingKey};

/// Keys older than this are not used: a signer that can't be reached for so long may have
/// withdrawn them.
const USABLE: TimeDelta = TimeDelta::hours(1);
/// Instead of [`REFETCH_INTERVAL`] as long as there are no keys at all, so that start-up does not
/// wait for long.
const REFETCH_INTERVAL_AT_START: TimeDelta = TimeDelta::seconds(1);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

#[derive(Clone)]
pub struct RemoteKeysConfig {
    pub jwks_url: Url,
    pub clock: SharedClock,
}

/// The keys of a signer in another process: fetched on first use, again on an unknown `kid`, and
/// kept for a bounded time while the signer is away. However many callers wait, one fetches.
pub struct RemoteKeys {
    shared: Arc<Shared>,
    /// When a fetch was last tried. Whoever holds the lock fetches.
    last_try: Arc<Mutex<Option<DateTime<Utc>>>>,
}

/// What a fetch needs and what it leaves behind.
struct Shared {
    config: RemoteKeysConfig,
    http: Client,
    fetched: RwLock<Option<Fetched>>,
}

#[derive(Clone)]
struct Fetched {
    keys: Arc<KeySet>,
    at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
    #[error("the document is larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
    #[error("the document is not a JWK set")]
    Malformed(#[from] serde_json::Error),
}

impl RemoteKeys {
    /// # Errors
    /// If the TLS backend can't be set up.
    pub fn new(config: RemoteKeysConfig) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()?;
        let shared = Shared {
            config,
            http,
            fetched: RwLock::new(None),
        };
        Ok(Self {
            shared: Arc::new(shared),
            last_try: Arc::default(),
        })
    }

    pub(crate) async fn key(&self, kid: &str) -> Result<Arc<VerifyingKey>, KeyError> {
        if let Some(fetched) = self.shared.usable()
            && let Some(key) = fetched.keys.get(kid)
        {
            if self.shared.age(&fetched) >= MAX_AGE {
                self.refresh_unless_busy().await;
            }
            return Ok(key);
        }
        self.refresh().await;
        let fetched = self.shared.usable().ok_or(KeyError::Unavailable)?;
        fetched.keys.get(kid).ok_or(KeyError::Unknown)
    }

    /// One caller fetches; the others go on with what there is.
    async fn refresh_unless_busy(&self) {
        if let Ok(last_try) = Arc::clone(&self.last_try).try_lock_owned() {
            self.fetch_if_due(last_try).await;
        }
    }

    /// One caller fetches; the others wait for its result.
    async fn refresh(&self) {
        let last_try = Arc::clone(&self.last_try).lock_owned().await;
        self.fetch_if_due(last_try).await;
    }

    async fn fetch_if_due(&self, mut last_try: OwnedMutexGuard<Option<DateTime<Utc>>>) {
        let now = self.shared.config.clock.now();
        let min_interval = match self.shared.usable() {
            Some(_) => REFETCH_INTERVAL,
            None => REFETCH_INTERVAL_AT_START,
        };
        if last_try.is_some_and(|tried| now - tried < min_interval) {
            return;
        }
        *last_try = Some(now);
        let shared = Arc::clone(&self.shared);
        // In a task of its own: a caller who hangs up must not end the fetch, for the next one is
        // not due for a while.
        let fetching = tokio::spawn(async move {
            shared.fetch_and_keep(now).await;
            drop(last_try);
        });
        // It ends badly only with the runtime; then there are no new keys, which the caller sees.
        let _ = fetching.await;
    }
}

impl Shared {
    fn usable(&self) -> Option<Fetched> {
        let fetched = self
            .fetched
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        fetched.filter(|fetched| self.age(fetched) < USABLE)
    }

    fn age(&self, fetched: &Fetched) -> TimeDelta {
        self.config.clock.now() - fetched.at
    }

    async fn fetch_and_keep(&self, now: DateTime<Utc>) {
        match self.fetch().await {
            Ok(keys) => {
                let fetched = Fetched {
                    keys: Arc::new(keys),
                    at: now,
                };
                *self.fetched.write().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
            }
            Err(error) => {
                metrics::counter!("plumbline_jwks_fetch_failures_total").increment(1);
                let cause = crate::problem::chain(&error);
                tracing::warn!(url = %self.config.jwks_url, cause, "the signing keys can't be fetched");
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let request = self.http.get(self.config.jwks_url.clone());
        let mut response = request.send().await?.error_for_status()?;
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if document.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(FetchError::TooLarge);
            }
            document.extend_from_slice(&chunk);
        }
        Ok(KeySet::parse(&document)?)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        sync::{
            Mutex as StdMutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
    use futures_util::{FutureExt, future::join_all};
    use kernel::ManualClock;

    use super::*;
    use crate::jwks::{Jwk, JwkSet};

    /// A signer whose document can be changed, whose fetches are counted, and which can go away.
    struct Signer {
        document: Arc<StdMutex<String>>,
        fetches: Arc<AtomicUsize>,
        server: ServerHandle,
        url: Url,
    }

    impl Signer {
        fn start(keys: &[&Jwk]) -> Self {
            let document = Arc::new(StdMutex::new(Self::document(keys)));
            let fetches = Arc::new(AtomicUsize::new(0));
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
            let server = HttpServer::new({
                let (document, fetches) = (Arc::clone(&document), Arc::clone(&fetches));
                move || {
                    let (document, fetches) = (Arc::clone(&document), Arc::clone(&fetches));
                    App::new().default_service(web::to(move || {
                        fetches.fetch_add(1, Ordering::SeqCst);
                        let body = document.lock().unwrap().clone();
                        async move { HttpResponse::Ok().body(body) }
                    }))
                }
            })
            .workers(1)
            .listen(listener)
            .unwrap()
            .run();
            let handle = server.handle();
            actix_web::rt::spawn(server);
            Self {
                document,
                fetches,
                server: handle,
                url: url.parse().unwrap(),
            }
        }

        fn document(keys: &[&Jwk]) -> String {
            let keys = keys.iter().map(|key| (*key).clone()).collect();
            serde_json::to_string(&JwkSet { keys }).unwrap()
        }

        fn publish(&self, keys: &[&Jwk]) {
            *self.document.lock().unwrap() = Self::document(keys);
        }

        /// A connection that is kept alive may be answered once more after the server has stopped:
        /// no keys then, either.
        async fn go_away(&self) {
            self.document.lock().unwrap().clear();
            self.server.stop(false).await;
        }

        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::SeqCst)
        }

        fn reader(&self, clock: &ManualClock) -> RemoteKeys {
            RemoteKeys::new(RemoteKeysConfig {
                jwks_url: self.url.clone(),
                clock: Arc::new(clock.clone()),
            })
            .unwrap()
        }
    }

    fn keys() -> (Jwk, Jwk) {
        (Jwk::ed25519(&[1; 32]), Jwk::ed25519(&[2; 32]))
    }

    #[actix_web::test]
    async fn callers_at_once_share_one_fetch() {
        let (old, _) = keys();
        let signer = Signer::start(&[&old]);
        let reader = signer.reader(&ManualClock::starting_now());
        let found = join_all((0..20).map(|_| reader.key(&old.kid))).await;
        assert!(found.iter().all(Result::is_ok));
        assert_eq!(signer.fetches(), 1);
    }

    #[actix_web::test]
    async fn a_caller_who_hangs_up_takes_no_keys_from_the_others() {
        let (old, _) = keys();
        let signer = Signer::start(&[&old]);
        let reader = signer.reader(&ManualClock::starting_now());
        assert!(reader.key(&old.kid).now_or_never().is_none(), "it waits");
        assert!(reader.key(&old.kid).await.is_ok());
        assert_eq!(signer.fetches(), 1);
    }

    #[actix_web::test]
    async fn an_unknown_kid_is_looked_up_at_most_every_thirty_seconds() {
        let (old, new) = keys();
        let clock = ManualClock::starting_now();
        let signer = Signer::start(&[&old]);
        let reader = signer.reader(&clock);
        assert!(reader.key(&old.kid).await.is_ok());
        signer.publish(&[&old, &new]);
        for _ in 0..100 {
            assert!(matches!(reader.key(&new.kid).await, Err(KeyError::Unknown)));
        }
        assert_eq!(signer.fetches(), 1);
        clock.advance(TimeDelta::seconds(30));
        assert!(reader.key(&new.kid).await.is_ok());
        assert_eq!(signer.fetches(), 2);
    }

    #[actix_web::test]
    async fn while_the_signer_is_away_the_keys_last_an_hour() {
        let (old, _) = keys();
        let clock = ManualClock::starting_now();
        let signer = Signer::start(&[&old]);
        let reader = signer.reader(&clock);
        assert!(reader.key(&old.kid).await.is_ok());
        signer.go_away().await;
        clock.advance(TimeDelta::minutes(59));
        assert!(reader.key(&old.kid).await.is_ok());
        clock.advance(TimeDelta::minutes(1));
        let gone = reader.key(&old.kid).await;
        assert!(matches!(gone, Err(KeyError::Unavailable)));
    }

    #[actix_web::test]
    async fn a_withdrawn_key_is_gone_once_the_keys_are_refreshed() {
        let (old, new) = keys();
        let clock = ManualClock::starting_now();
        let signer = Signer::start(&[&old]);
        let reader = signer.reader(&clock);
        assert!(reader.key(&old.kid).await.is_ok());
        signer.publish(&[&new]);
        clock.advance(MAX_AGE);
        // This call still gets it and refreshes; the next one does not.
        assert!(reader.key(&old.kid).await.is_ok());
        assert!(matches!(reader.key(&old.kid).await, Err(KeyError::Unknown)));
    }

    #[actix_web::test]
    async fn an_endless_document_is_refused() {
        let (old, _) = keys();
        let signer = Signer::start(&[]);
        *signer.document.lock().unwrap() = " ".repeat(MAX_DOCUMENT_BYTES + 1);
        let reader = signer.reader(&ManualClock::starting_now());
        assert!(matches!(
            reader.key(&old.kid).await,
            Err(KeyError::Unavailable)
        ));
    }
}
