//! Log-in at somebody else's: this service as a relying party of OpenID Connect Core 1.0, with the
//! authorization code flow, PKCE (RFC 7636) and the check of the response's issuer (RFC 9207).
//!
//! Only configured issuers are asked ([`ExternalProviderConfig`]). What they answer is a stranger's
//! word: [`http`] bounds it in time, size and place, [`metadata`] keeps it for a bounded time, and
//! [`id_token`] believes none of it without the provider's signature.

mod address;
mod config;
mod http;
mod id_token;
mod login_secrets;
mod metadata;
mod provider;
mod providers;

pub use config::{ExternalLoginConfig, ExternalProviderConfig, InvalidExternalProvider};
pub(crate) use login_secrets::LoginSecrets;
pub(crate) use provider::{Callback, ExternalPerson, Provider, ProviderError};
pub(crate) use providers::ExternalProviders;
pub use providers::ExternalProvidersError;
