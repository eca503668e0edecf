//! Keys that a person gives to programs: less than the person may do, for a time.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::ApiKey;
use kernel::{Actor, ApiKeyId, Permission, Scope};
use sea_orm::DbErr;
use serde_json::json;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    display_name::DisplayName,
    origin::Origin,
    revocations,
    secret::{OpaqueToken, TokenHash},
    store::api_key::{self, Model},
};

/// No key lasts longer.
pub(crate) const MAX_LIFETIME: TimeDelta = TimeDelta::days(365);
/// A person has no more that work.
const MAX_KEYS: u64 = 50;

pub(crate) struct NewApiKey {
    pub name: DisplayName,
    pub scopes: Vec<String>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiKeyError {
    #[error("the actor may not manage API keys")]
    Forbidden,
    #[error("a scope is one that the actor has and may hand on; there is at least one")]
    Scopes,
    #[error("a key ends in the future, within {} days", MAX_LIFETIME.num_days())]
    Expiry,
    #[error("the actor has {MAX_KEYS} keys")]
    TooMany,
    #[error("the actor has no such key")]
    NotFound,
    #[error("no randomness for a secret")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// A new key, which nobody can tell later.
pub(crate) async fn create_api_key(
    context: &Context,
    actor: &Actor,
    new: NewApiKey,
    origin: &Origin,
) -> Result<(Model, ApiKey), ApiKeyError> {
    check(actor)?;
    let now = context.now();
    if new.expires_at <= now || new.expires_at > now + MAX_LIFETIME {
        return Err(ApiKeyError::Expiry);
    }
    let scopes = scopes(actor, &new.scopes)?;
    let secret = OpaqueToken::random()?;
    let key = ApiKey::new(ApiKeyId::generate(now), secret.into_bytes());
    let row = Model {
        id: key.id().as_uuid(),
        user_id: actor.user_id.as_uuid(),
        name: new.name.as_str().to_owned(),
        secret_hash: TokenHash::of(key.secret()).into(),
        scopes: Scope::Only(scopes).to_string(),
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let transaction = context.database.begin().await?;
    if api_key::count_active(&transaction, actor.user_id, now).await? >= MAX_KEYS {
        return Err(ApiKeyError::TooMany);
    }
    api_key::insert(&transaction, row.clone()).await?;
    let details = json!({"scopes": row.scopes, "expires_at": row.expires_at});
    let event = Event::new(actor.into(), Action::ApiKeyCreated, actor.user_id, origin)
        .target("api_key", key.id())
        .details(details);
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    Ok((row, key))
}

/// One's own that work, the newest first.
pub(crate) async fn list_api_keys(
    context: &Context,
    actor: &Actor,
) -> Result<Vec<Model>, ApiKeyError> {
    check(actor)?;
    let reader = context.database.reader();
    // A few more may have been created at once.
    let keys = api_key::list_active(reader, actor.user_id, 2 * MAX_KEYS, context.now());
    Ok(keys.await?)
}

/// Every service refuses the key within a second.
pub(crate) async fn revoke_api_key(
    context: &Context,
    actor: &Actor,
    id: ApiKeyId,
    origin: &Origin,
) -> Result<(), ApiKeyError> {
    check(actor)?;
    let now = context.now();
    let transaction = context.database.begin().await?;
    if !api_key::revoke(&transaction, actor.user_id, id, now).await? {
        return Err(ApiKeyError::NotFound);
    }
    let event = Event::new(actor.into(), Action::ApiKeyRevoked, actor.user_id, origin);
    audit::record(&transaction, event.target("api_key", id), now).await?;
    transaction.commit().await?;
    revocations::announce(context, &[id.as_uuid()]).await;
    Ok(())
}

fn check(actor: &Actor) -> Result<(), ApiKeyError> {
    if actor.may(Permission::ManageOwnApiKeys) {
        Ok(())
    } else {
        Err(ApiKeyError::Forbidden)
    }
}

fn scopes(actor: &Actor, names: &[String]) -> Result<BTreeSet<Permission>, ApiKeyError> {
    let permission = |name: &String| {
        let permission: Option<Permission> = name.parse().ok();
        permission.filter(|one| one.is_delegable() && actor.may(*one))
    };
    let scopes: Option<BTreeSet<_>> = names.iter().map(permission).collect();
    scopes
        .filter(|scopes| !scopes.is_empty())
        .ok_or(ApiKeyError::Scopes)
}
