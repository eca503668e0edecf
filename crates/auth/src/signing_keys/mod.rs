//! The keys that sign access tokens: their life is a pure machine ([`rotation`]), kept in the
//! database for all processes at once ([`store`]), looked at regularly by each ([`in_use`]) and
//! managed by hand ([`administration`]).

mod administration;
mod error;
mod in_use;
mod key_pair;
mod rotation;
mod store;

use std::time::Duration;

use chrono::TimeDelta;
use service_kit::{access_token, jwks};

pub use administration::KeyAdministration;
pub use error::{KeyCommandError, SigningKeyError};
pub(crate) use in_use::SigningKeys;
pub use key_pair::{InvalidSigningAlgorithm, SigningAlgorithm};
pub(crate) use rotation::RotationPolicy;
pub use rotation::{Haste, KeyRecord, KeyState, Refused, UnknownKeyState};
pub(crate) use store::KeyStore;

/// How keys are made and replaced.
#[derive(Clone, Copy, Debug)]
pub struct SigningKeyConfig {
    /// Of the keys that are made from now on. Those that exist keep theirs.
    pub algorithm: SigningAlgorithm,
    /// How long a key signs.
    pub rotate_every: TimeDelta,
    /// How often each process looks for what is due, and for what another has done.
    pub poll_every: Duration,
}

impl Default for SigningKeyConfig {
    fn default() -> Self {
        Self {
            algorithm: SigningAlgorithm::default(),
            rotate_every: TimeDelta::days(30),
            poll_every: Duration::from_secs(30),
        }
    }
}

impl SigningKeyConfig {
    pub(crate) fn policy(&self, access_token_lifetime: TimeDelta) -> RotationPolicy {
        // A poll may be almost an interval away, and then it takes a moment.
        let noticed = TimeDelta::from_std(2 * self.poll_every).unwrap_or(TimeDelta::MAX);
        RotationPolicy {
            algorithm: self.algorithm,
            rotate_every: self.rotate_every,
            // Every signer publishes it; a cache on the way has let go of the set without it, then
            // the verifier; and the verifier may fetch again.
            publish_ahead: noticed + jwks::MAX_AGE + jwks::MAX_AGE + jwks::REFETCH_INTERVAL,
            // Every signer has stopped using it, and the last token has expired.
            keep_previous: noticed + access_token_lifetime + access_token::LEEWAY,
        }
    }
}
