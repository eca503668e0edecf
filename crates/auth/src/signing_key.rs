//! The Ed25519 key that signs access tokens (RFC 8037).

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chrono::{DateTime, Utc};
use database::Database;
use jsonwebtoken::EncodingKey;
use sea_orm::DbErr;
use secrecy::ExposeSecret as _;
use service_kit::jwks::Jwk;

use crate::{
    secret::{Keyring, Place, UnsealError},
    store,
};

#[derive(Clone)]
pub(crate) struct SigningKey {
    pub jwk: Jwk,
    pub key: EncodingKey,
}

#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error("can't read or write the signing key")]
    Database(#[from] DbErr),
    #[error("the signing key can't be decrypted with auth.encryption_key nor a former one")]
    Sealed(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the signing key can't be generated")]
    Generate(#[from] aws_lc_rs::error::Unspecified),
    #[error("the stored signing key is damaged")]
    Damaged(#[from] aws_lc_rs::error::KeyRejected),
    #[error("there is no current signing key: migrate the database and restore a key")]
    Missing,
}

impl From<UnsealError> for SigningKeyError {
    fn from(error: UnsealError) -> Self {
        Self::Sealed(Box::new(error))
    }
}

impl SigningKey {
    /// The current key of the database. The first process that finds none generates it; of several
    /// at once, all take the one that was stored.
    pub(crate) async fn load_or_generate(
        database: &Database,
        keyring: &Keyring,
        now: DateTime<Utc>,
    ) -> Result<Self, SigningKeyError> {
        if let Some(stored) = store::signing_key::find_current(database.reader()).await? {
            return Self::open(keyring, &stored);
        }
        let pkcs8 = Ed25519KeyPair::generate()?.to_pkcs8v1()?;
        let generated = Self::from_pkcs8(pkcs8.as_ref())?;
        let kid = &generated.jwk.kid;
        let sealed = keyring.seal(place(kid), pkcs8.as_ref())?;
        let writer = database.writer();
        if store::signing_key::insert_current_if_absent(writer, kid, sealed, now).await? {
            tracing::info!(kid, "generated the first signing key");
            return Ok(generated);
        }
        let stored = store::signing_key::find_current(writer).await?;
        Self::open(keyring, &stored.ok_or(SigningKeyError::Missing)?)
    }

    fn open(
        keyring: &Keyring,
        stored: &store::signing_key::Model,
    ) -> Result<Self, SigningKeyError> {
        let pkcs8 = keyring.open(place(&stored.kid), &stored.private_key)?;
        Self::from_pkcs8(pkcs8.expose_secret())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8)?;
        Ok(Self {
            jwk: Jwk::ed25519(pair.public_key().as_ref()),
            key: EncodingKey::from_ed_der(pkcs8),
        })
    }
}

fn place(kid: &str) -> Place<'_> {
    Place {
        table: store::signing_key::TABLE,
        row: kid,
        column: store::signing_key::PRIVATE_KEY,
    }
}
