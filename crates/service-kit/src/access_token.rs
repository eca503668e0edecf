//! Verifies access tokens (RFC 9068), in this one place, as RFC 8725 advises.
//!
//! The library's defaults accept a token without `iss` or `aud`, of any `typ`, a minute past its
//! `exp` and before its `nbf`. Here all of them are checked, against an injected clock; the
//! algorithm comes from the key, never from the header; and headers that would let a token bring
//! its own key (`jwk`, `jku`, `x5u`, `x5c`) are not looked at.

mod api_keys;
mod extractor;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use aws_lc_rs::digest;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::{AccessTokenClaims, ApiKey, ErrorCode};
use jsonwebtoken::{Header, Validation, errors::ErrorKind};
use kernel::{Actor, Credential, Scope, SharedClock};
use moka::future::Cache;
use uuid::Uuid;

use crate::{
    jwks::{KeyError, KeySource, VerifyingKey},
    problem::Problem,
    revocation::RevocationList,
};

pub use api_keys::{ApiKeys, LookUpError};
pub use extractor::Authenticated;
pub(crate) use extractor::verifier;

/// The `typ` of an access token (RFC 9068 §2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// Clocks may differ by this much.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(5);
/// Ours have about 700.
const MAX_TOKEN_BYTES: usize = 4096;
/// A verified token is remembered, so that its signature is checked once.
const MAX_REMEMBERED: u64 = 20_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(10 * 60);

#[derive(Clone)]
pub struct VerifierConfig {
    /// The only accepted `iss`.
    pub issuer: String,
    /// The only accepted `aud`.
    pub audience: String,
    pub clock: SharedClock,
}

/// Clones share the keys and the memory of verified tokens.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    config: VerifierConfig,
    keys: KeySource,
    revocations: RevocationList,
    api_keys: Option<ApiKeys>,
    /// By SHA-256, so that a dump of the memory holds no usable token.
    verified: Cache<Fingerprint, Remembered>,
}

type Fingerprint = [u8; digest::SHA256_OUTPUT_LEN];

/// A token whose signature has been checked, and the key that it was checked with.
#[derive(Clone)]
struct Remembered {
    kid: Arc<str>,
    token: Arc<VerifiedToken>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    pub actor: Actor,
    pub claims: AccessTokenClaims,
}

impl VerifiedToken {
    fn of(claims: AccessTokenClaims) -> Self {
        let credential = claims
            .sid
            .map_or(Credential::ServiceAccount, Credential::Session);
        let actor = Actor {
            user_id: claims.sub,
            credential,
            roles: claims.roles.clone(),
            scope: Scope::of_claim(&claims.scope),
        };
        Self { actor, claims }
    }

    /// When the person last proved who they are; a program never does.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<DateTime<Utc>> {
        let is_person = matches!(self.actor.credential, Credential::Session(_));
        is_person.then(|| at(self.claims.auth_time))
    }

    /// What ends this token before its time when it is revoked: its session, its service account,
    /// or itself.
    fn revocable(&self) -> [Uuid; 2] {
        let jti = self.claims.jti;
        let origin = match self.actor.credential {
            Credential::Session(id) => id.as_uuid(),
            Credential::ServiceAccount => self.actor.user_id.as_uuid(),
            Credential::ApiKey(_) => jti,
        };
        [origin, jti]
    }

    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        at(self.claims.exp)
    }
}

fn at(unix_seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix_seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Why a token is not accepted. For the log: the client learns only that it is not valid.
#[derive(Debug, thiserror::Error)]
pub enum TokenRejected {
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    #[error("the token is malformed, or a claim is missing")]
    Malformed(#[source] jsonwebtoken::errors::Error),
    #[error("the token's typ is not at+jwt")]
    WrongType,
    #[error("the token has critical headers, of which none is known")]
    CriticalHeader,
    #[error("the token names no key of ours")]
    UnknownKey,
    #[error("the token's alg is not that of its key")]
    WrongAlgorithm,
    #[error("the token's signature is wrong")]
    WrongSignature,
    #[error("the token was issued by someone else")]
    WrongIssuer,
    #[error("the token is meant for someone else")]
    WrongAudience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token or its session was revoked")]
    Revoked,
    #[error("the signer's keys can't be fetched")]
    KeysUnavailable,
    #[error("the API key has a typo")]
    MalformedApiKey,
    #[error("the API key is unknown, expired or revoked, or its owner is disabled or gone")]
    UnknownApiKey,
    #[error("API keys can't be looked up")]
    ApiKeysUnavailable(#[source] LookUpError),
}

impl TokenRejected {
    /// Whether it can't be told now what the token is.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeysUnavailable | Self::ApiKeysUnavailable(_))
    }
}

impl Verifier {
    #[must_use]
    pub fn new(config: VerifierConfig, keys: KeySource) -> Self {
        let verified = Cache::builder()
            .max_capacity(MAX_REMEMBERED)
            .time_to_live(REMEMBERED_FOR)
            .build();
        let revocations = RevocationList::in_memory(Arc::clone(&config.clock));
        Self(Arc::new(Inner {
            config,
            keys,
            revocations,
            api_keys: None,
            verified,
        }))
    }

    /// Takes API keys, too.
    #[must_use]
    pub fn with_api_keys(self, api_keys: ApiKeys) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.api_keys = Some(api_keys);
        Self(Arc::new(inner))
    }

    /// Refuses what is on this list. Without it, nothing is revoked before it expires.
    #[must_use]
    pub fn with_revocations(self, revocations: RevocationList) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.revocations = revocations;
        Self(Arc::new(inner))
    }

    #[must_use]
    pub fn revocations(&self) -> &RevocationList {
        &self.0.revocations
    }

    /// Returns as soon as a token that was accepted would be refused as revoked.
    pub async fn until_revoked(&self, token: &VerifiedToken) {
        self.0.revocations.revoked(&token.revocable()).await;
    }

    /// Checks signature and claims. The signature of a token that was accepted before is not
    /// checked again; its times are, that its key has not been withdrawn, and that nobody has
    /// revoked it.
    pub async fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, TokenRejected> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenRejected::TooLong);
        }
        if let Some(api_keys) = &self.0.api_keys
            && token.starts_with(ApiKey::PREFIX)
        {
            return self.verify_api_key(api_keys, token).await;
        }
        let fingerprint = fingerprint(token);
        if let Some(Remembered { kid, token }) = self.0.verified.get(&fingerprint).await {
            self.key(&kid).await?;
            self.check_times(&token.claims)?;
            self.check_revoked(&token)?;
            return Ok(token);
        }
        let audience = Some(self.0.config.audience.as_str());
        let (kid, claims) = self.decode(token, audience).await?;
        self.check_times(&claims)?;
        let verified = Arc::new(VerifiedToken::of(claims));
        self.check_revoked(&verified)?;
        let remembered = Remembered {
            kid: kid.into(),
            token: Arc::clone(&verified),
        };
        self.0.verified.insert(fingerprint, remembered).await;
        Ok(verified)
    }

    /// Checks a token that may be for anyone: for its issuer, who tells others about it, and not
    /// for whoever is called with it. Nothing is remembered.
    pub async fn examine(&self, token: &str) -> Result<VerifiedToken, TokenRejected> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenRejected::TooLong);
        }
        let (_, claims) = self.decode(token, None).await?;
        self.check_times(&claims)?;
        let verified = VerifiedToken::of(claims);
        self.check_revoked(&verified)?;
        Ok(verified)
    }

    async fn verify_api_key(
        &self,
        api_keys: &ApiKeys,
        text: &str,
    ) -> Result<Arc<VerifiedToken>, TokenRejected> {
        let key = ApiKey::parse(text).map_err(|_| TokenRejected::MalformedApiKey)?;
        let found = api_keys.token(key, &self.0.config).await;
        let found = found.map_err(TokenRejected::ApiKeysUnavailable)?;
        let verified = found.ok_or(TokenRejected::UnknownApiKey)?;
        // A key ends on time: there are no two clocks that could differ.
        if self.now() >= verified.expires_at() {
            return Err(TokenRejected::Expired);
        }
        self.check_revoked(&verified)?;
        Ok(verified)
    }

    async fn key(&self, kid: &str) -> Result<Arc<VerifyingKey>, TokenRejected> {
        self.0.keys.key(kid).await.map_err(|error| match error {
            KeyError::Unknown => TokenRejected::UnknownKey,
            KeyError::Unavailable => TokenRejected::KeysUnavailable,
        })
    }

    /// The `kid` of the key that signed the token, and its claims.
    async fn decode(
        &self,
        token: &str,
        audience: Option<&str>,
    ) -> Result<(String, AccessTokenClaims), TokenRejected> {
        let header = jsonwebtoken::decode_header(token).map_err(TokenRejected::Malformed)?;
        check_header(&header)?;
        let kid = header.kid.ok_or(TokenRejected::UnknownKey)?;
        let key = self.key(&kid).await?;
        metrics::counter!("plumbline_access_token_signatures_checked_total").increment(1);
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that decodes a token"
        )]
        let decoded = jsonwebtoken::decode(token, &key.key, &self.validation(&key, audience));
        let decoded = decoded.map_err(rejection)?;
        Ok((kid, decoded.claims))
    }

    fn validation(&self, key: &VerifyingKey, audience: Option<&str>) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.0.config.issuer]);
        match audience {
            Some(audience) => validation.set_audience(&[audience]),
            None => validation.validate_aud = false,
        }
        // The library would ask the ambient clock; see `check_times`.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.config.clock.now()
    }

    fn check_times(&self, claims: &AccessTokenClaims) -> Result<(), TokenRejected> {
        let now = self.0.config.clock.now().timestamp();
        if now >= claims.exp.saturating_add(LEEWAY.num_seconds()) {
            return Err(TokenRejected::Expired);
        }
        if claims.nbf.max(claims.iat) > now.saturating_add(LEEWAY.num_seconds()) {
            return Err(TokenRejected::NotYetValid);
        }
        Ok(())
    }

    fn check_revoked(&self, token: &VerifiedToken) -> Result<(), TokenRejected> {
        let revocations = &self.0.revocations;
        if token
            .revocable()
            .iter()
            .any(|id| revocations.is_revoked(*id))
        {
            return Err(TokenRejected::Revoked);
        }
        Ok(())
    }
}

fn fingerprint(token: &str) -> Fingerprint {
    let mut fingerprint = [0; digest::SHA256_OUTPUT_LEN];
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    fingerprint
}

fn check_header(header: &Header) -> Result<(), TokenRejected> {
    let typ = header.typ.as_deref().unwrap_or_default();
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if !typ.eq_ignore_ascii_case(TOKEN_TYPE) {
        return Err(TokenRejected::WrongType);
    }
    if header.crit.is_some() {
        return Err(TokenRejected::CriticalHeader);
    }
    Ok(())
}

fn rejection(error: jsonwebtoken::errors::Error) -> TokenRejected {
    match error.kind() {
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            TokenRejected::WrongAlgorithm
        }
        ErrorKind::InvalidSignature => TokenRejected::WrongSignature,
        ErrorKind::InvalidIssuer => TokenRejected::WrongIssuer,
        ErrorKind::InvalidAudience => TokenRejected::WrongAudience,
        // The library's list is open; whatever else it finds is a malformed token.
        _ => TokenRejected::Malformed(error),
    }
}

impl From<TokenRejected> for Problem {
    fn from(rejected: TokenRejected) -> Self {
        match rejected {
            TokenRejected::KeysUnavailable | TokenRejected::ApiKeysUnavailable(_) => {
                Self::unavailable(rejected)
            }
            TokenRejected::TooLong
            | TokenRejected::Malformed(_)
            | TokenRejected::WrongType
            | TokenRejected::CriticalHeader
            | TokenRejected::UnknownKey
            | TokenRejected::WrongAlgorithm
            | TokenRejected::WrongSignature
            | TokenRejected::WrongIssuer
            | TokenRejected::WrongAudience
            | TokenRejected::Expired
            | TokenRejected::NotYetValid
            | TokenRejected::Revoked
            | TokenRejected::MalformedApiKey
            | TokenRejected::UnknownApiKey => Self::new(ErrorCode::InvalidToken)
                .header(
                    WWW_AUTHENTICATE,
                    // RFC 6750 §3.1.
                    HeaderValue::from_static("Bearer error=\"invalid_token\""),
                )
                .cause(rejected),
        }
    }
}
