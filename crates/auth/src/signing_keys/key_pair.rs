use std::str::FromStr;

use aws_lc_rs::{
    pkcs8::Document,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Serialize;
use service_kit::jwks::Jwk;

use super::error::SigningKeyError;

/// What a key signs with, by its name in RFC 7518 and RFC 8037.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// Ed25519: short, fast, and without a random number to get wrong at every signature.
    #[default]
    EdDsa,
    /// ECDSA over P-256, for verifiers that know nothing else.
    Es256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing algorithm is EdDSA or ES256")]
pub struct InvalidSigningAlgorithm;

impl SigningAlgorithm {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    const fn in_header(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = InvalidSigningAlgorithm;

    fn from_str(name: &str) -> Result<Self, InvalidSigningAlgorithm> {
        [Self::EdDsa, Self::Es256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(InvalidSigningAlgorithm)
    }
}

/// A private key, ready to sign, and its public key.
#[derive(Clone)]
pub(crate) struct KeyPair {
    pub jwk: Jwk,
    algorithm: SigningAlgorithm,
    key: EncodingKey,
}

impl KeyPair {
    /// A new key, and its private half as PKCS#8.
    pub(crate) fn generate(
        algorithm: SigningAlgorithm,
    ) -> Result<(Self, SecretSlice<u8>), SigningKeyError> {
        let pkcs8: Document = match algorithm {
            SigningAlgorithm::EdDsa => Ed25519KeyPair::generate()?.to_pkcs8v1()?,
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?
            }
        };
        let pkcs8 = SecretSlice::from(pkcs8.as_ref().to_vec());
        Ok((Self::from_pkcs8(algorithm, &pkcs8)?, pkcs8))
    }

    pub(crate) fn from_pkcs8(
        algorithm: SigningAlgorithm,
        pkcs8: &SecretSlice<u8>,
    ) -> Result<Self, SigningKeyError> {
        let der = pkcs8.expose_secret();
        let (jwk, key) = match algorithm {
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(der)?;
                let jwk = Jwk::ed25519(pair.public_key().as_ref());
                (Some(jwk), EncodingKey::from_ed_der(der))
            }
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?;
                let jwk = Jwk::p256(pair.public_key().as_ref());
                (jwk, EncodingKey::from_ec_der(der))
            }
        };
        Ok(Self {
            jwk: jwk.ok_or(SigningKeyError::PublicKey)?,
            algorithm,
            key,
        })
    }

    /// A JWS in compact form, whose header names this key.
    pub(crate) fn sign(
        &self,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(self.algorithm.in_header());
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.jwk.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key)
    }
}
