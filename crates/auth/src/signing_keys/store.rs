use chrono::{DateTime, Utc};
use database::{Database, lock_table};
use sea_orm::{DatabaseTransaction, DbErr};
use secrecy::ExposeSecret as _;

use super::{
    Haste, KeyCommandError, KeyRecord, KeyState, RotationPolicy, SigningKeyError,
    key_pair::KeyPair,
    rotation::{self, Step},
};
use crate::{
    secret::{Keyring, SealedColumn},
    store::signing_key,
};

/// The signing keys of the database. Every change is one transaction that keeps the other
/// processes out, so that all agree.
#[derive(Clone)]
pub(crate) struct KeyStore {
    pub database: Database,
    pub keyring: Keyring,
    pub policy: RotationPolicy,
}

impl KeyStore {
    /// Every key that there has been, oldest first.
    pub(super) async fn all(&self) -> Result<Vec<KeyRecord>, SigningKeyError> {
        let keys = signing_key::all(self.database.reader()).await?;
        keys.iter().map(signing_key::Model::record).collect()
    }

    /// The keys that are not retired, after what was due has been done.
    pub(super) async fn up_to_date(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<signing_key::Model>, SigningKeyError> {
        let keys = signing_key::published(self.database.reader()).await?;
        if rotation::due(&records(&keys)?, &self.policy, now).is_none() {
            return Ok(keys);
        }
        let transaction = self.lock().await?;
        self.do_what_is_due(&transaction, now).await?;
        let keys = signing_key::published(&transaction).await?;
        transaction.commit().await?;
        Ok(keys)
    }

    /// Makes the next key the current one, and returns it.
    pub(super) async fn rotate(
        &self,
        haste: Haste,
        now: DateTime<Utc>,
    ) -> Result<KeyRecord, KeyCommandError> {
        let transaction = self.lock().await?;
        self.do_what_is_due(&transaction, now).await?;
        let keys = records(&signing_key::published(&transaction).await?)?;
        let step = rotation::rotate(&keys, &self.policy, haste, now)?;
        self.take(&transaction, &keys, step, now).await?;
        self.do_what_is_due(&transaction, now).await?;
        let keys = records(&signing_key::published(&transaction).await?)?;
        transaction.commit().await?;
        let current = rotation::in_state(&keys, KeyState::Current);
        Ok(current.cloned().ok_or(SigningKeyError::Missing)?)
    }

    pub(super) async fn retire(
        &self,
        kid: &str,
        now: DateTime<Utc>,
    ) -> Result<(), KeyCommandError> {
        let transaction = self.lock().await?;
        let keys = records(&signing_key::all(&transaction).await?)?;
        let step = rotation::retire(&keys, kid)?;
        self.take(&transaction, &keys, step, now).await?;
        self.do_what_is_due(&transaction, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(super) fn open(&self, stored: &signing_key::Model) -> Result<KeyPair, SigningKeyError> {
        let place = SealedColumn::SigningKey.of(&stored.kid);
        let pkcs8 = self.keyring.open(place, &stored.private_key)?;
        KeyPair::from_pkcs8(stored.record()?.algorithm, &pkcs8)
    }

    async fn lock(&self) -> Result<DatabaseTransaction, DbErr> {
        let transaction = self.database.begin().await?;
        lock_table(&transaction, SealedColumn::SigningKey.table()).await?;
        Ok(transaction)
    }

    async fn do_what_is_due(
        &self,
        transaction: &DatabaseTransaction,
        now: DateTime<Utc>,
    ) -> Result<(), SigningKeyError> {
        loop {
            let keys = records(&signing_key::published(transaction).await?)?;
            let Some(step) = rotation::due(&keys, &self.policy, now) else {
                return Ok(());
            };
            self.take(transaction, &keys, step, now).await?;
        }
    }

    async fn take(
        &self,
        transaction: &DatabaseTransaction,
        keys: &[KeyRecord],
        step: Step,
        now: DateTime<Utc>,
    ) -> Result<(), SigningKeyError> {
        tracing::info!(?step, "changing the signing keys");
        let find = |kid: &str| {
            let key = keys.iter().find(|key| key.kid == kid).cloned();
            key.ok_or(SigningKeyError::Missing)
        };
        match step {
            Step::Publish => self.publish(transaction, now).await?,
            Step::Activate(kid) => {
                // First of all: the schema admits one current key.
                if let Some(current) = rotation::in_state(keys, KeyState::Current) {
                    let superseded = current.clone().superseded(now);
                    signing_key::update(transaction, &superseded).await?;
                }
                signing_key::update(transaction, &find(&kid)?.activated(now)).await?;
            }
            Step::Retire(kid) => {
                signing_key::update(transaction, &find(&kid)?.retired(now)).await?;
                signing_key::erase_private_key(transaction, &kid).await?;
            }
        }
        Ok(())
    }

    async fn publish(
        &self,
        transaction: &DatabaseTransaction,
        now: DateTime<Utc>,
    ) -> Result<(), SigningKeyError> {
        let algorithm = self.policy.algorithm;
        let (pair, pkcs8) = KeyPair::generate(algorithm)?;
        let place = SealedColumn::SigningKey.of(&pair.jwk.kid);
        let sealed = self.keyring.seal(place, pkcs8.expose_secret())?;
        let record = KeyRecord::published(pair.jwk.kid, algorithm, now);
        Ok(signing_key::insert(transaction, &record, sealed).await?)
    }
}

pub(super) fn records(keys: &[signing_key::Model]) -> Result<Vec<KeyRecord>, SigningKeyError> {
    keys.iter().map(signing_key::Model::record).collect()
}
