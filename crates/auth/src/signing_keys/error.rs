use sea_orm::DbErr;

use super::{InvalidSigningAlgorithm, Refused, UnknownKeyState};
use crate::secret::UnsealError;

#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error("can't read or write the signing keys")]
    Database(#[from] DbErr),
    #[error("the signing key can't be decrypted with auth.encryption_key nor a former one")]
    Sealed(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the signing key can't be generated")]
    Generate(#[from] aws_lc_rs::error::Unspecified),
    #[error("the stored signing key is damaged")]
    Damaged(#[from] aws_lc_rs::error::KeyRejected),
    #[error("the signing key has no public key that could be published")]
    PublicKey,
    #[error("a signing key was stored by another version of Plumbline")]
    Algorithm(#[from] InvalidSigningAlgorithm),
    #[error("a signing key was stored by another version of Plumbline")]
    State(#[from] UnknownKeyState),
    #[error("there is no current signing key")]
    Missing,
}

impl From<UnsealError> for SigningKeyError {
    fn from(error: UnsealError) -> Self {
        Self::Sealed(Box::new(error))
    }
}

/// Why a command about signing keys did nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyCommandError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Failed(#[from] SigningKeyError),
}

impl From<DbErr> for KeyCommandError {
    fn from(error: DbErr) -> Self {
        Self::Failed(error.into())
    }
}
