//! API keys in the place of access tokens. One is looked up at whoever has them, and remembered for
//! a short while; it is seen as the access token that it stands for.

use std::{collections::BTreeSet, error::Error, future::Future, pin::Pin, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{AccessTokenClaims, ApiKey, ResolvedApiKey};
use kernel::{Actor, Credential, Scope};
use moka::future::Cache;

use super::{Fingerprint, VerifiedToken, VerifierConfig, fingerprint};

/// What the owner's role is, and whether they are still there, is asked again after so long. That
/// the key itself was revoked is known at once, by the revocation list.
const REMEMBERED_FOR: TimeDelta = TimeDelta::seconds(30);
/// Unknown keys are remembered, too.
const MAX_REMEMBERED: u64 = 10_000;

pub type LookUpError = Box<dyn Error + Send + Sync>;
type Resolving = Pin<Box<dyn Future<Output = Result<Option<ResolvedApiKey>, LookUpError>> + Send>>;

/// Where API keys are looked up. Clones share what is remembered.
#[derive(Clone)]
pub struct ApiKeys {
    resolve: Arc<dyn Fn(ApiKey) -> Resolving + Send + Sync>,
    remembered: Cache<Fingerprint, Remembered>,
}

#[derive(Clone)]
struct Remembered {
    at: DateTime<Utc>,
    /// `None` for a key that nobody has.
    token: Option<Arc<VerifiedToken>>,
}

impl ApiKeys {
    /// `resolve` answers `None` for a key that is unknown, expired or revoked, or whose owner is
    /// disabled or gone.
    pub fn new<F>(resolve: impl Fn(ApiKey) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<ResolvedApiKey>, LookUpError>> + Send + 'static,
    {
        Self {
            resolve: Arc::new(move |key| Box::pin(resolve(key))),
            remembered: Cache::builder().max_capacity(MAX_REMEMBERED).build(),
        }
    }

    pub(super) async fn token(
        &self,
        key: ApiKey,
        config: &VerifierConfig,
    ) -> Result<Option<Arc<VerifiedToken>>, LookUpError> {
        let now = config.clock.now();
        let fingerprint = fingerprint(&key.expose());
        if let Some(remembered) = self.remembered.get(&fingerprint).await
            && now - remembered.at < REMEMBERED_FOR
        {
            return Ok(remembered.token);
        }
        let resolved = (self.resolve)(key).await?;
        let token = resolved.map(|key| Arc::new(stand_for(key, config, now)));
        let remembered = Remembered {
            at: now,
            token: token.clone(),
        };
        self.remembered.insert(fingerprint, remembered).await;
        Ok(token)
    }
}

/// The access token that the key's owner could have made for it.
fn stand_for(key: ResolvedApiKey, config: &VerifierConfig, now: DateTime<Utc>) -> VerifiedToken {
    let delegable = key.scopes.into_iter().filter(|scope| scope.is_delegable());
    let scope = Scope::Only(delegable.collect::<BTreeSet<_>>());
    let claims = AccessTokenClaims {
        iss: config.issuer.clone(),
        sub: key.owner,
        aud: config.audience.clone(),
        exp: key.expires_at.timestamp(),
        iat: now.timestamp(),
        nbf: now.timestamp(),
        jti: key.id.as_uuid(),
        client_id: "api-key".to_owned(),
        sid: None,
        scope: scope.to_string(),
        roles: vec![key.role],
        auth_time: 0,
        acr: "api-key".to_owned(),
        amr: Vec::new(),
    };
    let actor = Actor {
        user_id: key.owner,
        credential: Credential::ApiKey(key.id),
        roles: vec![key.role],
        scope,
    };
    VerifiedToken { actor, claims }
}
