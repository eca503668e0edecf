//! The settings, as `config.default.toml` lists and explains them.

mod graphql;
mod problems;
mod retries;
mod websocket;

use std::{net::IpAddr, path::PathBuf};

use auth::{
    ClientSecret, ConfiguredServiceAccount, ExternalLoginConfig, ExternalProviderConfig,
    HashingParams, InvalidClientSecret, InvalidServiceAccount, ServiceAccountSpec,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::Permission;
use serde::Deserialize;
use service_kit::config::{ConfigError, ConfigErrors, Loader};
use url::Url;

use crate::Role;

pub use graphql::{Graphql, Trust};
pub use retries::Retries;
pub use websocket::WebSocket;

pub const DEFAULTS: &str = include_str!("../../../config.default.toml");

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub server: Server,
    pub log: Log,
    pub storage: Storage,
    pub auth: Auth,
    pub orders: Orders,
    pub broker: Broker,
    pub cache: Cache,
    pub gateway: Gateway,
    pub retries: Retries,
    pub worker: Worker,
    pub payment: Payment,
    pub mail: Mail,
    pub demo: Demo,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    pub host: IpAddr,
    pub port: u16,
    pub public_url: String,
    pub trusted_proxies: Vec<String>,
    pub allowed_origins: Vec<String>,
    pub workers: usize,
    pub shutdown_seconds: u64,
    pub metrics_port: u16,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Log {
    pub filter: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Storage {
    pub data_dir: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Auth {
    pub database_url: String,
    pub max_connections: u32,
    pub url: String,
    pub grpc_url: String,
    pub grpc_port: u16,
    pub encryption_key: String,
    pub former_encryption_keys: Vec<String>,
    pub token_secret: String,
    pub access_token_seconds: u32,
    pub signing_algorithm: String,
    pub signing_key_days: u16,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
    pub hash_parallelism: u32,
    pub limits: auth::Limits,
    pub external_providers: Vec<ExternalProvider>,
}

/// An OpenID Connect provider at which people may log in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalProvider {
    pub name: String,
    pub display_name: String,
    pub issuer: String,
    pub client_id: String,
    /// Empty: a public client.
    #[serde(default)]
    pub client_secret: String,
    #[serde(default = "ExternalProvider::default_scopes")]
    pub scopes: Vec<String>,
    #[serde(default)]
    pub allow_private_network: bool,
}

impl ExternalProvider {
    fn default_scopes() -> Vec<String> {
        vec!["email".to_owned(), "profile".to_owned()]
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Orders {
    pub database_url: String,
    pub max_connections: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Broker {
    pub url: String,
    pub namespace: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Cache {
    pub url: String,
    pub namespace: String,
    pub max_entries: u64,
    pub max_loads: u16,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Gateway {
    pub cursor_secret: String,
    pub client_id: String,
    pub client_secret: String,
    pub introspection: bool,
    pub limits: gateway::LimitsConfig,
    pub websocket: WebSocket,
    pub graphql: Graphql,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Worker {
    pub prefetch: u16,
    pub sweep_seconds: u64,
    pub reconcile_seconds: u64,
    pub client_id: String,
    pub client_secret: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Payment {
    pub url: String,
    pub secret_key: String,
    pub webhook_secrets: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    pub url: String,
    pub from: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Demo {
    pub enabled: bool,
    pub password: String,
}

/// Why a role can't be known to auth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccount {
    #[error(transparent)]
    ClientId(#[from] InvalidServiceAccount),
    #[error(transparent)]
    ClientSecret(#[from] InvalidClientSecret),
}

fn account(
    client_id: &str,
    client_secret: &str,
    scopes: &[Permission],
) -> Result<ConfiguredServiceAccount, InvalidAccount> {
    let scopes = scopes.iter().copied().map(Permission::as_str);
    let spec = ServiceAccountSpec::parse(client_id, user_directory::AUDIENCE, scopes)?;
    let secret = ClientSecret::parse(client_secret)?;
    Ok(ConfiguredServiceAccount { spec, secret })
}

impl Settings {
    /// The loader, before anything overrides the defaults.
    pub fn loader() -> Result<Loader, ConfigErrors> {
        Loader::new(DEFAULTS).map_err(|error| {
            let problem = error.message().to_owned();
            ConfigErrors(vec![ConfigError::new(
                "config.default.toml",
                problem,
                "Rebuild",
            )])
        })
    }

    /// The settings for a role, or everything that is wrong with them.
    pub fn load(loader: Loader, role: Role) -> Result<Self, ConfigErrors> {
        let mut settings: Self = loader.finish(|settings| problems::all(settings, role))?;
        let data_dir = settings.storage.data_dir.display().to_string();
        for url in [
            &mut settings.auth.database_url,
            &mut settings.orders.database_url,
            &mut settings.gateway.graphql.trusted_documents_dir,
        ] {
            *url = url.replace("{data_dir}", &data_dir);
        }
        Ok(settings)
    }

    /// Where people reach Plumbline. [`problems`] checks that it is a URL.
    #[must_use]
    pub fn public_url(&self) -> Option<Url> {
        if self.server.public_url.is_empty() {
            return Url::parse(&format!("http://localhost:{}", self.server.port)).ok();
        }
        Url::parse(&self.server.public_url).ok()
    }

    /// The gateway as auth knows it. [`problems`] checks it.
    pub fn gateway_account(&self) -> Result<ConfiguredServiceAccount, InvalidAccount> {
        let Gateway {
            client_id,
            client_secret,
            ..
        } = &self.gateway;
        let scopes = [
            Permission::LookUpUsers,
            Permission::ListUsers,
            Permission::ListAuditEvents,
            Permission::ResolveApiKeys,
        ];
        account(client_id, client_secret, &scopes)
    }

    /// The worker as auth knows it: it only asks whom to write to. [`problems`] checks it.
    pub fn worker_account(&self) -> Result<ConfiguredServiceAccount, InvalidAccount> {
        let Worker {
            client_id,
            client_secret,
            ..
        } = &self.worker;
        account(client_id, client_secret, &[Permission::LookUpUsers])
    }

    #[must_use]
    pub fn hashing(&self) -> HashingParams {
        HashingParams {
            memory_kib: self.auth.hash_memory_kib,
            iterations: self.auth.hash_iterations,
            parallelism: self.auth.hash_parallelism,
        }
    }

    /// [`problems`] checks what it says.
    #[must_use]
    pub fn external_login(&self) -> ExternalLoginConfig {
        let provider = |provider: &ExternalProvider| ExternalProviderConfig {
            name: provider.name.clone(),
            display_name: provider.display_name.clone(),
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            client_secret: (!provider.client_secret.is_empty())
                .then(|| provider.client_secret.clone().into()),
            scopes: provider.scopes.clone(),
            allow_private_network: provider.allow_private_network,
        };
        ExternalLoginConfig {
            providers: self.auth.external_providers.iter().map(provider).collect(),
            ..ExternalLoginConfig::default()
        }
    }

    /// The key that signs page cursors. [`problems`] checks that it can be read.
    #[must_use]
    pub fn cursor_secret(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(&self.gateway.cursor_secret)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(role: Role, pairs: &[(&str, &str)]) -> Result<Settings, ConfigErrors> {
        let loader = pairs
            .iter()
            .fold(Settings::loader().unwrap(), |loader, (key, value)| {
                loader.set(key, value)
            });
        Settings::load(loader, role)
    }

    fn keys(errors: ConfigErrors) -> Vec<String> {
        errors.0.into_iter().map(|error| error.key).collect()
    }

    #[test]
    fn the_defaults_run_everything_in_one_process() {
        let settings = load(Role::All, &[("storage.data_dir", "/tmp/x")]).unwrap();
        assert_eq!(settings.auth.database_url, "sqlite:/tmp/x/auth.db");
        assert_eq!(
            settings.public_url().unwrap().as_str(),
            "http://localhost:8080/"
        );
    }

    #[test]
    fn a_role_alone_is_told_everything_that_it_lacks_at_once() {
        let keys = keys(load(Role::Gateway, &[]).unwrap_err());
        for key in [
            "auth.database_url",
            "orders.database_url",
            "broker.url",
            "cache.url",
            "auth.url",
            "auth.grpc_url",
            "payment.url",
            "mail.url",
        ] {
            assert!(
                keys.iter().any(|found| found == key),
                "{key} is missing from {keys:?}"
            );
        }
    }

    #[test]
    fn development_secrets_are_refused_outside_the_embedded_mode() {
        let keys = keys(load(Role::All, &[("broker.url", "amqp://localhost")]).unwrap_err());
        assert_eq!(
            keys,
            [
                "auth.encryption_key",
                "auth.token_secret",
                "gateway.cursor_secret",
                "gateway.client_secret",
                "worker.client_secret",
                "payment.secret_key",
                "payment.webhook_secrets"
            ]
        );
    }

    #[test]
    fn a_proxy_that_is_none_or_everybody_is_refused() {
        for proxies in ["proxy.example", "10.0.0.1, 0.0.0.0/0"] {
            let error = load(Role::All, &[("server.trusted_proxies", proxies)]);
            assert_eq!(keys(error.unwrap_err()), ["server.trusted_proxies"]);
        }
        load(
            Role::All,
            &[("server.trusted_proxies", "10.0.0.1, fd00::/8")],
        )
        .unwrap();
    }

    #[test]
    fn external_providers_are_read_and_checked() {
        let providers = |provider: &str| {
            let key = "auth.external_providers";
            let providers = format!("[{{name = 'x', display_name = 'X', {provider}}}]");
            load(Role::All, &[(key, &providers)])
        };
        let settings = providers("issuer = 'https://x.example', client_id = 'c'").unwrap();
        let provider = &settings.external_login().providers[0];
        assert_eq!(provider.scopes, ["email", "profile"]);
        assert!(provider.client_secret.is_none() && !provider.allow_private_network);

        let plain = providers("issuer = 'http://x.example', client_id = 'c'").unwrap_err();
        assert!(
            plain.to_string().contains("needs an issuer with https"),
            "{plain}"
        );
        let unknown = providers("issuer = 'https://x.example', client_id = 'c', nme = 1");
        assert_eq!(
            keys(unknown.unwrap_err()),
            ["auth.external_providers[0].nme"]
        );
    }

    #[test]
    fn hashing_below_the_floor_is_refused() {
        let keys = keys(
            load(
                Role::All,
                &[("auth.hash_memory_kib", "8"), ("auth.hash_iterations", "1")],
            )
            .unwrap_err(),
        );
        assert_eq!(keys, ["auth.hash_memory_kib", "auth.hash_iterations"]);
    }
}
