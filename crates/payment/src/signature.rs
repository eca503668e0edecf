//! The `Stripe-Signature` header of a webhook: `t=<Unix seconds>,v1=<hex>[,v1=<hex>...]`, each `v1`
//! an HMAC-SHA256 (RFC 2104) over `<t>.<raw body>`. While a secret is being rolled, the sender signs
//! with the old and the new one, and the receiver knows both.
//!
//! Source: <https://docs.stripe.com/webhooks/signature>, "Verify manually".

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header's name.
pub const HEADER: &str = "Stripe-Signature";

/// How far a signature's time may be from ours, in either direction.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(300);

/// More signatures than a sender makes while rolling secrets; a longer header is malformed, which
/// bounds the work a stranger can cause.
const MAX_SIGNATURES: usize = 8;

type Digest = [u8; 32];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature header is malformed")]
    Malformed,
    #[error("no signature in the header was made with a known secret over this body")]
    Mismatch,
    #[error("the signature's time is more than {} s from now", TOLERANCE.num_seconds())]
    OutsideTolerance,
}

/// The header's value for `body`, with one signature a secret.
#[must_use]
pub fn sign(secrets: &[SecretString], at: DateTime<Utc>, body: &[u8]) -> String {
    let timestamp = at.timestamp().to_string();
    let mut header = format!("t={timestamp}");
    for secret in secrets {
        header.push_str(",v1=");
        header.push_str(&hex::encode(digest(secret, &timestamp, body)));
    }
    header
}

/// Accepts `body` when one of the header's signatures was made with one of `secrets` within
/// [`TOLERANCE`] of `now`. `body` is the raw request body: parsed and written again, it differs.
///
/// Which secret and which signature matched doesn't show in the time this takes.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let header = Header::parse(header)?;
    let mut matches = Choice::from(0);
    for secret in secrets {
        let expected = digest(secret, header.timestamp, body);
        for signature in &header.signatures {
            matches |= expected.ct_eq(signature);
        }
    }
    if !bool::from(matches) {
        return Err(SignatureError::Mismatch);
    }
    // The time is checked last: unsigned, it says nothing.
    if (now - header.signed_at).abs() > TOLERANCE {
        return Err(SignatureError::OutsideTolerance);
    }
    Ok(())
}

struct Header<'a> {
    /// As written: it is part of what was signed.
    timestamp: &'a str,
    signed_at: DateTime<Utc>,
    signatures: Vec<Digest>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Result<Self, SignatureError> {
        let mut timestamp = None;
        let mut signatures = Vec::new();
        for element in text.split(',') {
            let (scheme, value) = element.split_once('=').ok_or(SignatureError::Malformed)?;
            match scheme.trim() {
                "t" if timestamp.replace(value.trim()).is_some() => {
                    return Err(SignatureError::Malformed);
                }
                "v1" if signatures.len() == MAX_SIGNATURES => {
                    return Err(SignatureError::Malformed);
                }
                "v1" => {
                    let mut signature = Digest::default();
                    hex::decode_to_slice(value.trim(), &mut signature)
                        .map_err(|_| SignatureError::Malformed)?;
                    signatures.push(signature);
                }
                // `t` was just stored by the guard; other schemes are ignored, as Stripe asks, so
                // that nobody can downgrade to them.
                _ => {}
            }
        }
        let timestamp = timestamp.ok_or(SignatureError::Malformed)?;
        let signed_at = timestamp
            .parse()
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or(SignatureError::Malformed)?;
        if signatures.is_empty() {
            return Err(SignatureError::Malformed);
        }
        Ok(Self {
            timestamp,
            signed_at,
            signatures,
        })
    }
}

fn digest(secret: &SecretString, timestamp: &str, body: &[u8]) -> Digest {
    // HMAC takes a key of any length (RFC 2104 §2), so this never is the fallback.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        unreachable!("HMAC takes a key of any length")
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}
