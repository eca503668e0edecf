//! Secrets at rest: what must be read back is sealed ([`keyring`]) in one of the
//! [`sealed_column`]s, what need only be recognised is hashed ([`token`], [`recovery_code`]).

mod keyring;
mod recovery_code;
mod sealed_column;
mod token;

pub use keyring::{EncryptionKey, InvalidEncryptionKey};
pub(crate) use keyring::{Keyring, UnsealError};
pub(crate) use recovery_code::RecoveryCode;
pub(crate) use sealed_column::{RowId, SealedColumn};
pub use token::{InvalidTokenSecret, TokenSecretKey};
pub(crate) use token::{OpaqueToken, TokenHash, TokenSecret};
