use chrono::TimeDelta;
use contracts::{ApiKey, ResolvedApiKey};
use kernel::{Actor, Permission, Scope, UnknownRole};
use sea_orm::DbErr;

use crate::{
    context::Context,
    secret::TokenHash,
    store::api_key::{self, touch},
};

/// A key's use is written down at most so often.
const TOUCH_INTERVAL: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("the actor may not resolve API keys")]
    Forbidden,
    #[error(transparent)]
    Role(#[from] UnknownRole),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// For another service; see [`resolve_api_key`].
pub(crate) async fn resolve_api_key_for(
    context: &Context,
    actor: &Actor,
    key: &ApiKey,
) -> Result<Option<ResolvedApiKey>, ResolveError> {
    if !actor.may(Permission::ResolveApiKeys) {
        return Err(ResolveError::Forbidden);
    }
    resolve_api_key(context, key).await
}

/// Whose a key is and what it may do; `None` if it is unknown, expired or revoked, or its owner is
/// disabled or gone.
pub(crate) async fn resolve_api_key(
    context: &Context,
    key: &ApiKey,
) -> Result<Option<ResolvedApiKey>, ResolveError> {
    let now = context.now();
    let found = api_key::find_active_with_owner(context.database.reader(), key.id(), now).await?;
    let Some((row, owner)) = found else {
        return Ok(None);
    };
    let is_right = TokenHash::of(key.secret()).equals(&row.secret_hash);
    if !is_right || owner.disabled_at.is_some() || owner.deleted_at.is_some() {
        return Ok(None);
    }
    touch(context.database.writer(), &row, TOUCH_INTERVAL, now).await?;
    let scopes = match Scope::of_claim(&row.scopes) {
        Scope::Only(scopes) => scopes,
        // Never stored: a key has what it names.
        Scope::Everything => Default::default(),
    };
    Ok(Some(ResolvedApiKey {
        id: key.id(),
        owner: owner.user_id(),
        role: owner.role()?,
        scopes,
        expires_at: row.expires_at,
    }))
}
