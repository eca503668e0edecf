use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};

use super::VerifyingKey;

/// The document at `jwks_uri`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

/// A public key that verifies signatures: Ed25519 (RFC 8037 §2) or P-256 (RFC 7518 §6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwk {
    /// `OKP` for Ed25519, `EC` for P-256.
    #[schema(example = "OKP")]
    pub kty: String,
    #[schema(example = "Ed25519")]
    pub crv: String,
    /// The one algorithm that the key is for: `EdDSA` or `ES256`.
    #[schema(example = "EdDSA")]
    pub alg: String,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub public_key_use: String,
    /// The key's RFC 7638 thumbprint.
    pub kid: String,
    /// The public key, or the first coordinate of a P-256 key; base64url.
    pub x: String,
    /// The second coordinate of a P-256 key, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
}

/// The first byte of a point that is written as both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
const COORDINATE_BYTES: usize = 32;

impl Jwk {
    #[must_use]
    pub fn ed25519(public_key: &[u8]) -> Self {
        let x = BASE64.encode(public_key);
        Self {
            kid: thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            public_key_use: "sig".to_owned(),
            x,
            y: None,
        }
    }

    /// `None` unless `point` is an uncompressed point of 65 bytes (SEC 1 §2.3.3).
    #[must_use]
    pub fn p256(point: &[u8]) -> Option<Self> {
        let (&UNCOMPRESSED, coordinates) = point.split_first()? else {
            return None;
        };
        let (x, y) = coordinates.split_at_checked(COORDINATE_BYTES)?;
        if y.len() != COORDINATE_BYTES {
            return None;
        }
        let (x, y) = (BASE64.encode(x), BASE64.encode(y));
        Some(Self {
            kid: thumbprint(&format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#
            )),
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            alg: "ES256".to_owned(),
            public_key_use: "sig".to_owned(),
            x,
            y: Some(y),
        })
    }

    /// `None` for a key that is not for signatures, or of a kind that Plumbline does not use.
    pub(super) fn verifying_key(&self) -> Option<VerifyingKey> {
        if self.public_key_use != "sig" {
            return None;
        }
        let kind = (self.kty.as_str(), self.crv.as_str(), self.alg.as_str());
        let (algorithm, key) = match (kind, &self.y) {
            (("OKP", "Ed25519", "EdDSA"), None) => {
                (Algorithm::EdDSA, DecodingKey::from_ed_components(&self.x))
            }
            (("EC", "P-256", "ES256"), Some(y)) => (
                Algorithm::ES256,
                DecodingKey::from_ec_components(&self.x, y),
            ),
            _ => return None,
        };
        let key = key.ok()?;
        Some(VerifyingKey { algorithm, key })
    }
}

/// RFC 7638 §3: SHA-256 over the required members in lexical order.
fn thumbprint(required_members: &str) -> String {
    BASE64.encode(digest::digest(&digest::SHA256, required_members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2 and A.3.
    const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const RFC_8037_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    /// RFC 7515, appendix A.3.1.
    const RFC_7515_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const RFC_7515_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    /// Computed over that key with Python's hashlib.
    const RFC_7515_THUMBPRINT: &str = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";

    #[test]
    fn the_kid_of_an_ed25519_key_is_the_thumbprint_of_the_rfcs_example() {
        let jwk = Jwk::ed25519(&BASE64.decode(RFC_8037_X).unwrap());
        assert_eq!(jwk.x, RFC_8037_X);
        assert_eq!(jwk.kid, RFC_8037_THUMBPRINT);
    }

    #[test]
    fn the_kid_of_a_p_256_key_is_its_thumbprint() {
        let mut point = vec![UNCOMPRESSED];
        point.extend(BASE64.decode(RFC_7515_X).unwrap());
        point.extend(BASE64.decode(RFC_7515_Y).unwrap());
        let jwk = Jwk::p256(&point).unwrap();
        assert_eq!(
            (jwk.x.as_str(), jwk.y.as_deref()),
            (RFC_7515_X, Some(RFC_7515_Y))
        );
        assert_eq!(jwk.kid, RFC_7515_THUMBPRINT);
        for length in [0, 1, 33, 64] {
            assert_eq!(Jwk::p256(&point[..length]), None, "{length} bytes");
        }
        point[0] = 2;
        assert_eq!(Jwk::p256(&point), None, "a compressed point");
    }
}
