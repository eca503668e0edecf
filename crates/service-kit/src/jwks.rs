//! The public keys that access tokens are verified with (RFC 7517, RFC 8037), and where a
//! verifier gets them from.

mod remote;

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};

pub use remote::{RemoteKeys, RemoteKeysConfig};

/// The document at `jwks_uri`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

/// An Ed25519 public key (RFC 8037 §2). The only kind that Plumbline signs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwk {
    #[schema(example = "OKP")]
    pub kty: String,
    #[schema(example = "Ed25519")]
    pub crv: String,
    #[schema(example = "EdDSA")]
    pub alg: String,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub public_key_use: String,
    /// The key's RFC 7638 thumbprint.
    pub kid: String,
    /// The public key, base64url.
    pub x: String,
}

impl Jwk {
    #[must_use]
    pub fn ed25519(public_key: &[u8]) -> Self {
        let x = BASE64.encode(public_key);
        Self {
            kid: thumbprint(&x),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            public_key_use: "sig".to_owned(),
            x,
        }
    }

    fn verifies_signatures(&self) -> bool {
        (self.kty.as_str(), self.crv.as_str()) == ("OKP", "Ed25519")
            && (self.alg.as_str(), self.public_key_use.as_str()) == ("EdDSA", "sig")
    }
}

/// RFC 7638 §3: SHA-256 over the required members in lexical order.
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

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
            let key = DecodingKey::from_ed_components(&jwk.x).ok()?;
            let algorithm = Algorithm::EdDSA;
            Some((jwk.kid, Arc::new(VerifyingKey { algorithm, key })))
        };
        Self(
            keys.filter(Jwk::verifies_signatures)
                .filter_map(verifying)
                .collect(),
        )
    }

    pub(crate) fn get(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.0.get(kid).cloned()
    }
}

/// Where a verifier gets its keys from.
#[derive(Clone)]
pub enum KeySource {
    /// The signer runs in the same process.
    Fixed(FixedKeys),
    /// The signer is reached over HTTP.
    Remote(Arc<RemoteKeys>),
}

/// Keys that stay the same for the life of the process.
#[derive(Clone)]
pub struct FixedKeys(Arc<KeySet>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("no key has this kid")]
    Unknown,
    #[error("the signer's keys can't be fetched")]
    Unavailable,
}

impl KeySource {
    #[must_use]
    pub fn fixed(keys: JwkSet) -> Self {
        Self::Fixed(FixedKeys(Arc::new(KeySet::usable(keys.keys.into_iter()))))
    }

    #[must_use]
    pub fn remote(keys: RemoteKeys) -> Self {
        Self::Remote(Arc::new(keys))
    }

    pub(crate) async fn key(&self, kid: &str) -> Result<Arc<VerifyingKey>, KeyError> {
        match self {
            Self::Fixed(keys) => keys.0.get(kid).ok_or(KeyError::Unknown),
            Self::Remote(keys) => keys.key(kid).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2 and A.3.
    const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const RFC_8037_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    #[test]
    fn the_kid_is_the_thumbprint_of_the_rfcs_example() {
        let jwk = Jwk::ed25519(&BASE64.decode(RFC_8037_X).unwrap());
        assert_eq!(jwk.x, RFC_8037_X);
        assert_eq!(jwk.kid, RFC_8037_THUMBPRINT);
    }

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let ours = Jwk::ed25519(&[1; 32]);
        let mut encrypting = Jwk::ed25519(&[2; 32]);
        encrypting.public_key_use = "enc".to_owned();
        let document = serde_json::json!({"keys": [
            {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"},
            {"kty": "oct", "kid": "hmac", "k": "c2VjcmV0", "alg": "HS256", "use": "sig"},
            "not a key",
            encrypting,
            ours,
        ]});
        let keys = KeySet::parse(document.to_string().as_bytes()).unwrap();
        assert_eq!(keys.0.len(), 1);
        assert!(keys.get(&ours.kid).is_some());
        assert!(KeySet::parse(b"[]").is_err());
    }
}
