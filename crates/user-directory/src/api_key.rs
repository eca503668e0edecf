//! API keys as messages and back.

use chrono::DateTime;
use contracts::ResolvedApiKey;
use kernel::{Permission, UnknownRole};

use crate::v1;

/// What an answer can have that no key of ours has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidApiKey {
    #[error("an id is none")]
    Id(#[from] uuid::Error),
    #[error(transparent)]
    Role(#[from] UnknownRole),
    #[error("the expiry is no time")]
    Expiry,
}

impl TryFrom<v1::ApiKey> for ResolvedApiKey {
    type Error = InvalidApiKey;

    /// A scope that this version does not know grants nothing.
    fn try_from(key: v1::ApiKey) -> Result<Self, InvalidApiKey> {
        let scopes = key.scopes.iter();
        Ok(Self {
            id: key.id.parse()?,
            owner: key.user_id.parse()?,
            role: key.role.parse()?,
            scopes: scopes.filter_map(|name| name.parse().ok()).collect(),
            expires_at: DateTime::from_timestamp(key.expires_at, 0).ok_or(InvalidApiKey::Expiry)?,
        })
    }
}

impl From<ResolvedApiKey> for v1::ApiKey {
    fn from(key: ResolvedApiKey) -> Self {
        let scopes = key.scopes.into_iter().map(Permission::as_str);
        Self {
            id: key.id.to_string(),
            user_id: key.owner.to_string(),
            role: key.role.as_str().to_owned(),
            scopes: scopes.map(str::to_owned).collect(),
            expires_at: key.expires_at.timestamp(),
        }
    }
}
