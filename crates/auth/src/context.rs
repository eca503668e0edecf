use chrono::{DateTime, TimeDelta, Utc};
use database::Database;
use kernel::SharedClock;
use messaging::RelayWaker;
use service_kit::revocation::RevocationList;

use crate::{
    access_tokens::AccessTokens,
    external::ExternalProviders,
    passkeys::RelyingParty,
    password::Passwords,
    refresh_chain::RefreshPolicy,
    secret::{Keyring, TokenSecret},
    throttle::Throttle,
};

/// What the use-cases work with.
pub(crate) struct Context {
    pub database: Database,
    pub clock: SharedClock,
    pub passwords: Passwords,
    pub relying_party: RelyingParty,
    pub access_tokens: AccessTokens,
    pub keyring: Keyring,
    pub token_secret: TokenSecret,
    pub refresh_policy: RefreshPolicy,
    /// Tell it of every session that ended, after committing.
    pub revocations: RevocationList,
    pub throttle: Throttle,
    pub email_verification_lifetime: TimeDelta,
    pub external_providers: ExternalProviders,
    /// Wake the relay after committing an outbox event.
    pub relay: RelayWaker,
}

impl Context {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
