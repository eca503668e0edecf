//! Makes tokens, right and wrong, byte by byte: no library would make the wrong ones.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use kernel::{Clock as _, ManualClock};
use serde_json::{Value, json};
use service_kit::jwks::Jwk;
use uuid::Uuid;

pub const ISSUER: &str = "https://shop.example/auth";
pub const AUDIENCE: &str = "plumbline";

/// One of our two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Ed25519,
    P256,
}

pub const BOTH: [Key; 2] = [Key::Ed25519, Key::P256];

pub struct Forge {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
    now: i64,
}

impl Forge {
    pub fn new(clock: &ManualClock) -> Self {
        Self {
            ed25519: Ed25519KeyPair::generate().unwrap(),
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            now: clock.now().timestamp(),
        }
    }

    pub fn public_keys(&self) -> Vec<Jwk> {
        BOTH.map(|key| self.jwk(key)).to_vec()
    }

    pub fn jwk(&self, key: Key) -> Jwk {
        match key {
            Key::Ed25519 => Jwk::ed25519(self.ed25519.public_key().as_ref()),
            Key::P256 => Jwk::p256(self.p256.public_key().as_ref()).unwrap(),
        }
    }

    /// The bare bytes: 32 of Ed25519, an uncompressed point of P-256.
    pub fn public_key(&self, key: Key) -> &[u8] {
        match key {
            Key::Ed25519 => self.ed25519.public_key().as_ref(),
            Key::P256 => self.p256.public_key().as_ref(),
        }
    }

    pub fn header(&self, key: Key) -> Value {
        let jwk = self.jwk(key);
        json!({"typ": "at+jwt", "alg": jwk.alg, "kid": jwk.kid})
    }

    pub fn claims(&self) -> Value {
        let now = self.now;
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::nil(), "sid": Uuid::nil(),
            "exp": now + 600, "iat": now, "nbf": now, "jti": Uuid::nil(), "client_id": "web",
            "scope": "", "roles": ["customer"], "auth_time": now, "acr": "1", "amr": ["pwd"],
        })
    }

    /// 64 bytes.
    pub fn signature(&self, key: Key, message: &str) -> Vec<u8> {
        match key {
            Key::Ed25519 => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
            Key::P256 => {
                let signature = self.p256.sign(&SystemRandom::new(), message.as_bytes());
                signature.unwrap().as_ref().to_vec()
            }
        }
    }

    /// A token of these texts, whatever they are, with a right signature.
    pub fn sign(&self, key: Key, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let signature = BASE64.encode(self.signature(key, &message));
        format!("{message}.{signature}")
    }

    pub fn valid(&self, key: Key) -> String {
        self.sign(
            key,
            &self.header(key).to_string(),
            &self.claims().to_string(),
        )
    }

    /// A token with this header, or another value of it; `null` removes it.
    pub fn with_header(&self, key: Key, name: &str, value: Value) -> String {
        let header = changed(self.header(key), name, value);
        self.sign(key, &header.to_string(), &self.claims().to_string())
    }

    pub fn with_claim(&self, name: &str, value: Value) -> String {
        let claims = changed(self.claims(), name, value);
        let header = self.header(Key::Ed25519);
        self.sign(Key::Ed25519, &header.to_string(), &claims.to_string())
    }

    /// A token whose signature is what `change` makes of the right one.
    pub fn with_signature(&self, key: Key, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
        let header = self.header(key).to_string();
        let message = message(&header, &self.claims().to_string());
        let signature = change(self.signature(key, &message));
        format!("{message}.{}", BASE64.encode(signature))
    }

    /// A token with an HMAC under `secret` for a signature.
    pub fn with_hmac(&self, header: &Value, secret: &[u8]) -> String {
        let message = message(&header.to_string(), &self.claims().to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", BASE64.encode(tag))
    }
}

/// What is signed.
pub fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", BASE64.encode(header), BASE64.encode(claims))
}

/// `null` removes the member.
pub fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    object
}

/// The object's text with one more member before the others.
pub fn preceded_by(object: &Value, member: &str) -> String {
    format!("{{{member},{}", &object.to_string()[1..])
}

/// The object's text with one more member after the others.
pub fn followed_by(object: &Value, member: &str) -> String {
    let text = object.to_string();
    format!("{},{member}}}", &text[..text.len() - 1])
}
