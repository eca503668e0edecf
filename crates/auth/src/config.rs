use chrono::TimeDelta;
use messaging::consumer::RetryPolicy;
use url::Url;

use crate::{
    external::ExternalLoginConfig,
    password::{HashPoolConfig, HashingParams},
    refresh_chain::RefreshPolicy,
    secret::{EncryptionKey, TokenSecretKey},
    service_account::ConfiguredServiceAccount,
    signing_keys::SigningKeyConfig,
    throttle::Limits,
};

#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// Where people reach Plumbline, for links in mails: never taken from a request's Host.
    pub public_url: Url,
    /// The `iss` of access tokens, normally the public URL with `/auth`.
    pub issuer: String,
    /// The `aud` of access tokens: all services of this installation.
    pub audience: String,
    pub access_token_lifetime: TimeDelta,
    pub signing_keys: SigningKeyConfig,
    pub refresh: RefreshPolicy,
    /// How long the link in a registration's mail works.
    pub email_verification_lifetime: TimeDelta,
    pub hashing: HashingParams,
    pub hash_pool: HashPoolConfig,
    pub limits: Limits,
    /// Begins the keys in Redis, so that several systems can share a server.
    pub redis_namespace: String,
    /// Seals what is secret in the database and must be read back.
    pub encryption_key: EncryptionKey,
    /// Keys that only open what they sealed before.
    pub former_encryption_keys: Vec<EncryptionKey>,
    /// Programs that call auth from the start: their accounts are registered by it.
    pub service_accounts: Vec<ConfiguredServiceAccount>,
    /// From which refresh-token successors and mail tokens are derived. The same on every replica.
    pub token_secret: TokenSecretKey,
    pub external_login: ExternalLoginConfig,
    /// Of mails that could not be sent.
    pub retries: RetryPolicy,
}

impl AuthConfig {
    /// Everything by the specification; only what must be secret or is local is asked for.
    #[must_use]
    pub fn new(
        public_url: Url,
        encryption_key: EncryptionKey,
        token_secret: TokenSecretKey,
    ) -> Self {
        let origin = public_url.as_str().trim_end_matches('/');
        Self {
            issuer: format!("{origin}/auth"),
            audience: "plumbline".to_owned(),
            public_url,
            access_token_lifetime: TimeDelta::minutes(10),
            signing_keys: SigningKeyConfig::default(),
            refresh: RefreshPolicy::default(),
            email_verification_lifetime: TimeDelta::hours(24),
            hashing: HashingParams::default(),
            hash_pool: HashPoolConfig::default(),
            limits: Limits::default(),
            redis_namespace: "plumbline".to_owned(),
            encryption_key,
            former_encryption_keys: Vec::new(),
            service_accounts: Vec::new(),
            token_secret,
            external_login: ExternalLoginConfig::default(),
            retries: RetryPolicy::default(),
        }
    }
}
