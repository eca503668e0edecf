//! The settings, as `config.default.toml` lists and explains them.

use std::{net::IpAddr, path::PathBuf};

use auth::{EncryptionKey, HashingParams, TokenSecretKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use service_kit::config::{ConfigError, ConfigErrors, Loader};
use url::Url;

use crate::Role;

pub const DEFAULTS: &str = include_str!("../../../config.default.toml");

const MIN_SECRET_BYTES: usize = 32;

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
    pub encryption_key: String,
    pub former_encryption_keys: Vec<String>,
    pub token_secret: String,
    pub access_token_seconds: u32,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
    pub hash_parallelism: u32,
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
}

#[derive(Clone, Debug, Deserialize)]
pub struct Gateway {
    pub cursor_secret: String,
    pub introspection: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Worker {
    pub prefetch: u16,
    pub sweep_seconds: u64,
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
        let mut settings: Self = loader.finish(|settings| problems(settings, role))?;
        let data_dir = settings.storage.data_dir.display().to_string();
        for url in [
            &mut settings.auth.database_url,
            &mut settings.orders.database_url,
        ] {
            *url = url.replace("{data_dir}", &data_dir);
        }
        Ok(settings)
    }

    /// Where people reach Plumbline. [`problems`] has checked that it is a URL.
    #[must_use]
    pub fn public_url(&self) -> Option<Url> {
        if self.server.public_url.is_empty() {
            return Url::parse(&format!("http://localhost:{}", self.server.port)).ok();
        }
        Url::parse(&self.server.public_url).ok()
    }

    #[must_use]
    pub fn hashing(&self) -> HashingParams {
        HashingParams {
            memory_kib: self.auth.hash_memory_kib,
            iterations: self.auth.hash_iterations,
            parallelism: self.auth.hash_parallelism,
        }
    }

    /// The key that signs page cursors. [`problems`] has checked that it can be read.
    #[must_use]
    pub fn cursor_secret(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(&self.gateway.cursor_secret)
            .unwrap_or_default()
    }
}

/// Everything that is wrong with the settings of a role, beyond their types.
fn problems(settings: &Settings, role: Role) -> Vec<ConfigError> {
    let mut problems = addresses(settings, role);
    if role != Role::All {
        problems.extend(unshareable(settings));
    }
    problems.extend(secrets(settings));
    problems.extend(amounts(settings));
    problems.extend(development_secrets(settings));
    problems
}

fn addresses(settings: &Settings, role: Role) -> Vec<ConfigError> {
    let mut problems = Vec::new();
    if settings
        .public_url()
        .is_none_or(|url| !matches!(url.scheme(), "http" | "https"))
    {
        problems.push(ConfigError::new(
            "server.public_url",
            "it is not an http or https URL",
            "For example https://shop.example.com",
        ));
    }
    let databases = ["sqlite:", "postgres://", "postgresql://"];
    for (key, url, schemes) in [
        (
            "auth.database_url",
            &settings.auth.database_url,
            &databases[..],
        ),
        (
            "orders.database_url",
            &settings.orders.database_url,
            &databases,
        ),
        (
            "broker.url",
            &settings.broker.url,
            &["memory:", "amqp://", "amqps://"],
        ),
        ("cache.url", &settings.cache.url, &["memory:", "redis://"]),
        (
            "mail.url",
            &settings.mail.url,
            &["memory:", "smtp://", "smtps://"],
        ),
        (
            "payment.url",
            &settings.payment.url,
            &["double:", "http://", "https://"],
        ),
    ] {
        if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            let remedy = format!("It begins with one of {}", schemes.join(", "));
            problems.push(ConfigError::new(
                key,
                "it is not an address of a known kind",
                remedy,
            ));
        }
    }
    if role == Role::Gateway && Url::parse(&settings.auth.url).is_err() {
        problems.push(ConfigError::new(
            "auth.url",
            "a gateway alone must know where auth is",
            "For example http://auth:8080",
        ));
    }
    problems
}

/// What lives inside one process can't be shared with the roles in others.
fn unshareable(settings: &Settings) -> Vec<ConfigError> {
    [
        (
            "auth.database_url",
            settings.auth.database_url.starts_with("sqlite:"),
            "postgres://...",
        ),
        (
            "orders.database_url",
            settings.orders.database_url.starts_with("sqlite:"),
            "postgres://...",
        ),
        ("broker.url", settings.broker.url == "memory:", "amqp://..."),
        ("cache.url", settings.cache.url == "memory:", "redis://..."),
        ("mail.url", settings.mail.url == "memory:", "smtp://..."),
        (
            "payment.url",
            settings.payment.url == "double:",
            "https://api.stripe.com, or the address of a `plumbline payment-double`",
        ),
    ]
    .into_iter()
    .filter(|(_, is_unshareable, _)| *is_unshareable)
    .map(|(key, _, address)| {
        let problem = "it would live inside this process, where the other roles can't reach it";
        let remedy = format!("Use {address}, or run `plumbline` without a role");
        ConfigError::new(key, problem, remedy)
    })
    .collect()
}

fn secrets(settings: &Settings) -> Vec<ConfigError> {
    const MAKE_ONE: &str = "Make one with `openssl rand -base64 32 | tr '+/' '-_' | tr -d =`";
    let mut problems = Vec::new();
    let keys = [("auth.encryption_key", &settings.auth.encryption_key)].into_iter();
    let former = settings.auth.former_encryption_keys.iter();
    for (key, text) in keys.chain(former.map(|text| ("auth.former_encryption_keys", text))) {
        if let Err(error) = EncryptionKey::parse(text) {
            let remedy = "config.default.toml shows how to make one";
            problems.push(ConfigError::new(key, error.to_string(), remedy));
        }
    }
    if let Err(error) = TokenSecretKey::parse(&settings.auth.token_secret) {
        problems.push(ConfigError::new(
            "auth.token_secret",
            error.to_string(),
            MAKE_ONE,
        ));
    }
    if settings.cursor_secret().len() < MIN_SECRET_BYTES {
        let problem = "it is not 32 bytes in base64url";
        problems.push(ConfigError::new("gateway.cursor_secret", problem, MAKE_ONE));
    }
    if settings.payment.webhook_secrets.is_empty() {
        problems.push(ConfigError::new(
            "payment.webhook_secrets",
            "without a secret no webhook can be verified",
            "Name at least one",
        ));
    }
    problems
}

fn amounts(settings: &Settings) -> Vec<ConfigError> {
    let floor = HashingParams::default();
    [
        (
            "auth.hash_memory_kib",
            settings.auth.hash_memory_kib.into(),
            floor.memory_kib.into(),
        ),
        (
            "auth.hash_iterations",
            settings.auth.hash_iterations.into(),
            floor.iterations.into(),
        ),
        (
            "auth.hash_parallelism",
            settings.auth.hash_parallelism.into(),
            floor.parallelism.into(),
        ),
        (
            "auth.max_connections",
            settings.auth.max_connections.into(),
            1,
        ),
        (
            "auth.access_token_seconds",
            settings.auth.access_token_seconds.into(),
            1,
        ),
        (
            "orders.max_connections",
            settings.orders.max_connections.into(),
            1,
        ),
        ("cache.max_entries", settings.cache.max_entries, 1),
        ("worker.prefetch", settings.worker.prefetch.into(), 1),
        ("worker.sweep_seconds", settings.worker.sweep_seconds, 1),
    ]
    .into_iter()
    .filter(|(_, value, least)| value < least)
    .map(|(key, value, least): (&str, u64, u64)| {
        let problem = format!("{value} is too little");
        ConfigError::new(key, problem, format!("Use at least {least}"))
    })
    .collect()
}

/// The defaults of secrets are public, so they are only good for a system inside one process.
fn development_secrets(settings: &Settings) -> Vec<ConfigError> {
    if settings.broker.url == "memory:" {
        return Vec::new();
    }
    // The defaults are compiled in, and a test reads them.
    let Ok(defaults) = toml::from_str::<Settings>(DEFAULTS) else {
        return Vec::new();
    };
    let secrets = [
        (
            "auth.encryption_key",
            settings.auth.encryption_key == defaults.auth.encryption_key,
        ),
        (
            "auth.token_secret",
            settings.auth.token_secret == defaults.auth.token_secret,
        ),
        (
            "gateway.cursor_secret",
            settings.gateway.cursor_secret == defaults.gateway.cursor_secret,
        ),
        (
            "payment.secret_key",
            settings.payment.secret_key == defaults.payment.secret_key,
        ),
        (
            "payment.webhook_secrets",
            settings
                .payment
                .webhook_secrets
                .iter()
                .any(|secret| defaults.payment.webhook_secrets.contains(secret)),
        ),
    ];
    secrets
        .into_iter()
        .filter(|(_, is_default)| *is_default)
        .map(|(key, _)| {
            let problem = "this is the development secret, which everybody knows";
            ConfigError::new(
                key,
                problem,
                "Set one of your own; config.default.toml says how",
            )
        })
        .collect()
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
                "payment.secret_key",
                "payment.webhook_secrets"
            ]
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
