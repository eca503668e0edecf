//! Secrets at rest: what must be read back is sealed ([`keyring`]), what need only be recognised
//! is hashed ([`token`]).

mod keyring;
mod token;

pub use keyring::{EncryptionKey, InvalidEncryptionKey};
pub(crate) use keyring::{Keyring, Place, UnsealError};
pub use token::{InvalidTokenSecret, TokenSecretKey};
pub(crate) use token::{OpaqueToken, TokenHash, TokenSecret};
