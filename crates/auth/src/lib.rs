//! The identity context: who someone is, and how they prove it.
//!
//! [`AuthService::build`] takes a configuration and its dependencies; the binary then adds the
//! routes to a server and starts the background tasks. Inside, `routes` speaks HTTP, `use_cases`
//! does the work without knowing that, and `store` has the tables. Passwords and secrets have a
//! module each, and the refresh-token machine is a pure value, [`RefreshPolicy`] its parameters.

mod access_tokens;
mod audit;
mod authentication;
mod config;
mod context;
mod display_name;
mod external;
mod grpc;
mod mail;
mod operator;
mod origin;
mod passkeys;
mod password;
mod qr_code;
mod refresh_chain;
mod revocations;
mod routes;
mod secret;
mod seed;
mod service;
mod service_account;
mod signing_keys;
mod store;
mod throttle;
mod totp;
mod use_cases;

pub use config::AuthConfig;
pub use external::{
    ExternalLoginConfig, ExternalProviderConfig, ExternalProvidersError, InvalidExternalProvider,
};
pub use mail::declared_events;
pub use operator::{create_service_account, disable_service_account, list_service_accounts};
pub use password::{HashError, HashPoolConfig, HashingParams, InvalidHashingParams};
pub use refresh_chain::RefreshPolicy;
pub use routes::{declared_routes, openapi};
pub use secret::{EncryptionKey, InvalidEncryptionKey, InvalidTokenSecret, TokenSecretKey};
pub use seed::{DemoUser, SeedError, seed_demo_users};
pub use service::{AuthDeps, AuthError, AuthService, queues};
pub use service_account::{
    ClientSecret, ConfiguredServiceAccount, InvalidClientSecret, InvalidServiceAccount,
    ServiceAccount, ServiceAccountSpec,
};
pub use signing_keys::{
    Haste, InvalidSigningAlgorithm, KeyAdministration, KeyCommandError, KeyRecord, KeyState,
    Refused, SigningAlgorithm, SigningKeyConfig, SigningKeyError, UnknownKeyState,
};
pub use throttle::Limits;
pub use use_cases::{re_encrypt::ReEncrypted, service_accounts::ServiceAccountError};
