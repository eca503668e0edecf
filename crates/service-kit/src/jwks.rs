//! The public keys that access tokens are verified with (RFC 7517, RFC 8037), and where a
//! verifier gets them from.

mod jwk;
mod remote;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

pub use jwk::{Jwk, JwkSet};
pub use remote::{RemoteKeys, RemoteKeysConfig};

/// How long a set of keys may be cached: by whoever stands between signer and verifier, as the
/// signer's `max-age` says, and then by the verifier.
pub const MAX_AGE: TimeDelta = TimeDelta::minutes(5);
/// The least time between two fetches of a verifier: an unknown `kid` costs its sender nothing,
/// so it must cost us next to nothing.
pub const REFETCH_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// A key together with the one algorithm it may be used with.
#[derive(Clone, Debug)]
pub(crate) struct VerifyingKey {
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// Verifying keys by `kid`.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySet(HashMap<String, Arc<VerifyingKey>>);

/// More keys than this are not taken from a document.
const MAX_KEYS: usize = 32;

impl KeySet {
    /// Takes the keys it can use and passes over the others, as RFC 7517 §5 asks for.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let document: Document = serde_json::from_slice(document)?;
        let keys = document.keys.into_iter().take(MAX_KEYS);
        Ok(Self::usable(
            keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok()),
        ))
    }

    fn usable(keys: impl Iterator<Item = Jwk>) -> Self {
        let verifying = |jwk: Jwk| {
            let key = jwk.verifying_key()?;
            Some((jwk.kid, Arc::new(key)))
        };
        Self(keys.filter_map(verifying).collect())
    }

    pub(crate) fn get(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.0.get(kid).cloned()
    }
}

/// Where a verifier gets its keys from.
#[derive(Clone)]
pub enum KeySource {
    /// The signer runs in the same process.
    Local(LocalKeys),
    /// The signer is reached over HTTP.
    Remote(Arc<RemoteKeys>),
}

/// The keys of a signer in the same process, which replaces them when it rotates. Clones share
/// them.
#[derive(Clone)]
pub struct LocalKeys(Arc<RwLock<KeySet>>);

impl LocalKeys {
    #[must_use]
    pub fn new(keys: JwkSet) -> Self {
        let keys = KeySet::usable(keys.keys.into_iter());
        Self(Arc::new(RwLock::new(keys)))
    }

    /// From now on these keys are accepted and no others.
    pub fn replace(&self, keys: JwkSet) {
        let keys = KeySet::usable(keys.keys.into_iter());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn get(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(kid)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("no key has this kid")]
    Unknown,
    #[error("the signer's keys can't be fetched")]
    Unavailable,
}

impl KeySource {
    /// Keys that are never replaced.
    #[must_use]
    pub fn fixed(keys: JwkSet) -> Self {
        Self::Local(LocalKeys::new(keys))
    }

    #[must_use]
    pub fn local(keys: LocalKeys) -> Self {
        Self::Local(keys)
    }

    #[must_use]
    pub fn remote(keys: RemoteKeys) -> Self {
        Self::Remote(Arc::new(keys))
    }

    pub(crate) async fn key(&self, kid: &str) -> Result<Arc<VerifyingKey>, KeyError> {
        match self {
            Self::Local(keys) => keys.get(kid).ok_or(KeyError::Unknown),
            Self::Remote(keys) => keys.key(kid).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let ours = Jwk::ed25519(&[1; 32]);
        let point: Vec<u8> = [4].into_iter().chain([1; 64]).collect();
        let ours_too = Jwk::p256(&point).unwrap();
        let mut encrypting = Jwk::ed25519(&[2; 32]);
        encrypting.public_key_use = "enc".to_owned();
        let mut confused = Jwk::ed25519(&[3; 32]);
        confused.alg = "ES256".to_owned();
        let mut halved = ours_too.clone();
        (halved.kid, halved.y) = ("halved".to_owned(), None);
        let document = serde_json::json!({"keys": [
            {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"},
            {"kty": "oct", "kid": "hmac", "k": "c2VjcmV0", "alg": "HS256", "use": "sig"},
            "not a key",
            encrypting,
            confused,
            halved,
            ours,
            ours_too,
        ]});
        let keys = KeySet::parse(document.to_string().as_bytes()).unwrap();
        assert_eq!(keys.0.len(), 2);
        assert_eq!(keys.get(&ours.kid).unwrap().algorithm, Algorithm::EdDSA);
        assert_eq!(keys.get(&ours_too.kid).unwrap().algorithm, Algorithm::ES256);
        assert!(KeySet::parse(b"[]").is_err());
    }
}
