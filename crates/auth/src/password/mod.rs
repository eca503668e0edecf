//! Passwords: what one may be ([`policy`]), how it is hashed ([`hasher`]) and how much hashing
//! may go on at once ([`pool`]).

mod hasher;
mod passwords;
mod policy;
mod pool;

pub use hasher::{HashError, HashingParams, InvalidHashingParams};
pub(crate) use passwords::{PasswordError, Passwords, Verified};
pub(crate) use policy::{NewPassword, PolicyContext, PolicyViolation};
pub use pool::HashPoolConfig;
