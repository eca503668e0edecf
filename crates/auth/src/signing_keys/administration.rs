use database::Database;
use kernel::SharedClock;

use super::{Haste, KeyCommandError, KeyRecord, KeyStore, SigningKeyError};
use crate::{
    config::AuthConfig,
    secret::Keyring,
    service::AuthError,
    use_cases::re_encrypt::{self, ReEncrypted},
};

/// Keys by hand, on the database of running services: they notice within two of their looks at it.
pub struct KeyAdministration {
    store: KeyStore,
    clock: SharedClock,
}

impl KeyAdministration {
    #[must_use]
    pub fn new(config: &AuthConfig, database: Database, clock: SharedClock) -> Self {
        let store = KeyStore {
            database,
            keyring: Keyring::of(config),
            policy: config.signing_keys.policy(config.access_token_lifetime),
        };
        Self { store, clock }
    }

    /// Every key that there has been, oldest first.
    pub async fn list(&self) -> Result<Vec<KeyRecord>, SigningKeyError> {
        self.store.all().await
    }

    /// Makes the next key the current one, and returns it.
    pub async fn rotate(&self, haste: Haste) -> Result<KeyRecord, KeyCommandError> {
        self.store.rotate(haste, self.clock.now()).await
    }

    /// Withdraws a key that is not the current one: its tokens are refused from now on.
    pub async fn retire(&self, kid: &str) -> Result<(), KeyCommandError> {
        self.store.retire(kid, self.clock.now()).await
    }

    /// Seals every sealed value of the database with `auth.encryption_key`.
    pub async fn re_encrypt(&self) -> Result<Vec<ReEncrypted>, AuthError> {
        Ok(re_encrypt::all(&self.store.database, &self.store.keyring).await?)
    }
}
