use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use kernel::SharedClock;
use service_kit::jwks::{JwkSet, KeySource, LocalKeys};
use tokio_util::sync::CancellationToken;

use super::{
    KeyRecord, KeyState, SigningKeyError,
    key_pair::KeyPair,
    store::{KeyStore, records},
};

/// The keys as this process uses them: it signs with the current one, and publishes all that are
/// not retired. Clones share them.
#[derive(Clone)]
pub(crate) struct SigningKeys(Arc<Inner>);

struct Inner {
    store: KeyStore,
    published: RwLock<Arc<Published>>,
    /// The same keys, for the verifier in this process.
    verifying: LocalKeys,
}

struct Published {
    records: Vec<KeyRecord>,
    current: KeyPair,
    jwks: JwkSet,
}

impl SigningKeys {
    /// Reads the keys. The first process on a database makes them.
    pub(crate) async fn load(store: KeyStore, now: DateTime<Utc>) -> Result<Self, SigningKeyError> {
        let published = Published::read(&store, now).await?;
        Ok(Self(Arc::new(Inner {
            store,
            verifying: LocalKeys::new(published.jwks.clone()),
            published: RwLock::new(Arc::new(published)),
        })))
    }

    /// The key that signs.
    pub(crate) fn current(&self) -> KeyPair {
        self.published().current.clone()
    }

    /// The public keys, the current one first.
    pub(crate) fn jwks(&self) -> JwkSet {
        self.published().jwks.clone()
    }

    /// For a verifier in this process, which learns of every change.
    pub(crate) fn source(&self) -> KeySource {
        KeySource::local(self.0.verifying.clone())
    }

    /// Does what is due and takes up what other processes did, again and again. While the database
    /// is away the keys stay as they are.
    pub(crate) async fn keep_up_to_date(
        self,
        clock: SharedClock,
        every: Duration,
        stop: CancellationToken,
    ) {
        let mut interval = tokio::time::interval(every);
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            if let Err(error) = self.refresh(clock.now()).await {
                metrics::counter!("plumbline_signing_keys_failures_total").increment(1);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the signing keys could not be looked at"
                );
            }
        }
    }

    async fn refresh(&self, now: DateTime<Utc>) -> Result<(), SigningKeyError> {
        let fresh = Published::read(&self.0.store, now).await?;
        if fresh.records == self.published().records {
            return Ok(());
        }
        // Before anything is signed with a key that the verifier does not know.
        self.0.verifying.replace(fresh.jwks.clone());
        let kid = &fresh.current.jwk.kid;
        tracing::info!(
            kid,
            keys = fresh.records.len(),
            "the signing keys have changed"
        );
        let published = self.0.published.write();
        *published.unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    fn published(&self) -> Arc<Published> {
        let published = self.0.published.read();
        Arc::clone(&published.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Published {
    async fn read(store: &KeyStore, now: DateTime<Utc>) -> Result<Self, SigningKeyError> {
        let stored = store.up_to_date(now).await?;
        let records = records(&stored)?;
        let mut pairs = Vec::with_capacity(stored.len());
        for (record, stored) in records.iter().zip(&stored) {
            pairs.push((record.state, store.open(stored)?));
        }
        // Stable: several previous keys stay the oldest first.
        pairs.sort_by_key(|(state, _)| *state);
        let keys = pairs.iter().map(|(_, pair)| pair.jwk.clone()).collect();
        let current = pairs
            .into_iter()
            .find_map(|(state, pair)| (state == KeyState::Current).then_some(pair));
        Ok(Self {
            records,
            current: current.ok_or(SigningKeyError::Missing)?,
            jwks: JwkSet { keys },
        })
    }
}
