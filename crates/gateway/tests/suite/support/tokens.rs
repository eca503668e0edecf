//! Access tokens as auth issues them, signed with a key of the test's own.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use kernel::{Clock as _, ManualClock};
use serde_json::json;
use service_kit::access_token::{Verifier, VerifierConfig};
use service_kit::jwks::{Jwk, JwkSet, KeySource};
use service_kit::revocation::RevocationList;
use uuid::Uuid;

const ISSUER: &str = "https://shop.example/auth";
const AUDIENCE: &str = "plumbline";

pub struct Tokens {
    pub clock: ManualClock,
    signer: Ed25519KeyPair,
    key: Jwk,
    pub revocations: RevocationList,
}

impl Tokens {
    pub fn new(clock: ManualClock) -> Self {
        let signer = Ed25519KeyPair::generate().unwrap();
        let key = Jwk::ed25519(signer.public_key().as_ref());
        let revocations = RevocationList::in_memory(Arc::new(clock.clone()));
        Self {
            clock,
            signer,
            key,
            revocations,
        }
    }

    pub fn verifier(&self) -> Verifier {
        let config = VerifierConfig {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            clock: Arc::new(self.clock.clone()),
        };
        Verifier::new(
            config,
            KeySource::fixed(JwkSet {
                keys: vec![self.key.clone()],
            }),
        )
        .with_revocations(self.revocations.clone())
    }

    /// A customer's token, valid for ten minutes.
    pub fn valid(&self) -> String {
        self.of(Uuid::from_u128(7), 600)
    }

    /// A token of `user` that is valid for `seconds`.
    pub fn of(&self, user: Uuid, seconds: i64) -> String {
        self.sign(user, seconds, "customer", "plumbline")
    }

    /// Somebody's token with a role and what it may be used for, valid for ten minutes.
    pub fn with_role(&self, user: Uuid, role: &str, scope: &str) -> String {
        self.sign(user, 600, role, scope)
    }

    fn sign(&self, user: Uuid, seconds: i64, role: &str, scope: &str) -> String {
        let now = self.clock.now().timestamp();
        let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.key.kid});
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": user, "sid": Uuid::nil(), "exp": now + seconds,
            "iat": now, "nbf": now, "jti": Uuid::nil(), "client_id": "web", "scope": scope,
            "roles": [role], "auth_time": now, "acr": "1", "amr": ["pwd"],
        });
        let part = |value: serde_json::Value| BASE64.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = BASE64.encode(self.signer.sign(message.as_bytes()));
        format!("Bearer {message}.{signature}")
    }
}
