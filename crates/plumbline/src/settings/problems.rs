//! What can be wrong with settings beyond their types.

use auth::{EncryptionKey, HashingParams, SigningAlgorithm, TokenSecretKey};
use service_kit::{client_address::TrustedProxies, config::ConfigError, telemetry};
use url::Url;

use super::{DEFAULTS, InvalidAccount, Settings};
use crate::Role;

const DATABASES: [&str; 3] = ["sqlite:", "postgres://", "postgresql://"];
const WEB: [&str; 2] = ["http://", "https://"];
const MIN_SECRET_BYTES: usize = 32;

/// Everything that is wrong with the settings of a role, beyond their types.
pub(super) fn all(settings: &Settings, role: Role) -> Vec<ConfigError> {
    let mut problems = addresses(settings, role);
    if role != Role::All {
        problems.extend(unshareable(settings));
    }
    if telemetry::check_filter(&settings.log.filter).is_err() {
        let problem = "it is not a log filter";
        problems.push(ConfigError::new(
            "log.filter",
            problem,
            "For example info,sqlx=warn",
        ));
    }
    problems.extend(origins(settings));
    problems.extend(secrets(settings));
    problems.extend(amounts(settings));
    problems.extend(development_secrets(settings));
    problems.extend(external_providers(settings));
    problems
}

fn external_providers(settings: &Settings) -> impl Iterator<Item = ConfigError> {
    let problems = settings.external_login().problems();
    problems.into_iter().map(|problem| {
        let remedy = "docs/external-login.md says what a provider needs";
        ConfigError::new("auth.external_providers", problem.to_string(), remedy)
    })
}

fn addresses(settings: &Settings, role: Role) -> Vec<ConfigError> {
    let mut problems: Vec<_> = [
        (
            "auth.database_url",
            &settings.auth.database_url,
            &DATABASES[..],
        ),
        (
            "orders.database_url",
            &settings.orders.database_url,
            &DATABASES,
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
    ]
    .into_iter()
    .filter_map(|(key, url, schemes)| address(key, url, schemes))
    .collect();
    if !settings.server.public_url.is_empty() {
        problems.extend(address(
            "server.public_url",
            &settings.server.public_url,
            &WEB,
        ));
    }
    if let Err(error) = TrustedProxies::parse(&settings.server.trusted_proxies) {
        let remedy = "For example 10.0.0.7 or 10.0.0.0/8";
        problems.push(ConfigError::new(
            "server.trusted_proxies",
            error.to_string(),
            remedy,
        ));
    }
    if matches!(role, Role::Gateway | Role::Worker) {
        problems.extend(address("auth.url", &settings.auth.url, &WEB));
        problems.extend(address("auth.grpc_url", &settings.auth.grpc_url, &WEB));
    }
    problems
}

/// What is wrong with an address. It is not quoted: it may hold a password.
fn address(key: &str, url: &str, beginnings: &[&str]) -> Option<ConfigError> {
    let Some(beginning) = beginnings.iter().find(|scheme| url.starts_with(**scheme)) else {
        let problem = "it is not an address of a known kind";
        let remedy = format!("It begins with one of {}", beginnings.join(", "));
        return Some(ConfigError::new(key, problem, remedy));
    };
    // `sqlite:` names a file, and `memory:` and `double:` nothing.
    let is_on_the_network = beginning.ends_with("//");
    let has_host = |url: Url| url.host_str().is_some_and(|host| !host.is_empty());
    if !is_on_the_network || Url::parse(url).is_ok_and(has_host) {
        return None;
    }
    let problem = "it is not a URL with a host";
    let remedy = format!("For example {beginning}host.example");
    Some(ConfigError::new(key, problem, remedy))
}

fn origins(settings: &Settings) -> Vec<ConfigError> {
    let origins = settings.server.allowed_origins.iter();
    let wrong = origins.filter(|origin| {
        Url::parse(origin).map_or(true, |url| url.origin().ascii_serialization() != **origin)
    });
    wrong
        .map(|origin| {
            let problem = format!("`{origin}` is not an origin");
            let remedy = "Scheme, host and port only, for example https://app.example";
            ConfigError::new("server.allowed_origins", problem, remedy)
        })
        .collect()
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
    if let Err(error) = settings.auth.signing_algorithm.parse::<SigningAlgorithm>() {
        let problem = error.to_string();
        problems.push(ConfigError::new(
            "auth.signing_algorithm",
            problem,
            "Use EdDSA unless a verifier can't",
        ));
    }
    if settings.cursor_secret().len() < MIN_SECRET_BYTES {
        let problem = "it is not 32 bytes in base64url";
        problems.push(ConfigError::new("gateway.cursor_secret", problem, MAKE_ONE));
    }
    let accounts = [
        ("gateway", settings.gateway_account()),
        ("worker", settings.worker_account()),
    ];
    for (section, account) in accounts {
        let Err(error) = account else { continue };
        let (key, remedy) = match error {
            InvalidAccount::ClientId(_) => ("client_id", format!("For example {section}")),
            InvalidAccount::ClientSecret(_) => ("client_secret", MAKE_ONE.to_owned()),
        };
        let key = format!("{section}.{key}");
        problems.push(ConfigError::new(key, error.to_string(), remedy));
    }
    if settings.gateway.client_id == settings.worker.client_id {
        let problem = "it is the gateway's, and an account has one secret and one scope";
        problems.push(ConfigError::new(
            "worker.client_id",
            problem,
            "For example worker",
        ));
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

/// Deeper than this the library's parser refuses what the guard let through.
const MAX_NESTING: usize = 60;

fn amounts(settings: &Settings) -> Vec<ConfigError> {
    let floor = HashingParams::default();
    let graphql = &settings.gateway.graphql;
    let too_little = [
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
            "auth.signing_key_days",
            settings.auth.signing_key_days.into(),
            1,
        ),
        (
            "orders.max_connections",
            settings.orders.max_connections.into(),
            1,
        ),
        ("cache.max_entries", settings.cache.max_entries, 1),
        ("cache.max_loads", settings.cache.max_loads.into(), 1),
        ("retries.attempts", settings.retries.attempts.into(), 1),
        ("worker.prefetch", settings.worker.prefetch.into(), 1),
        ("worker.sweep_seconds", settings.worker.sweep_seconds, 1),
        (
            "worker.reconcile_seconds",
            settings.worker.reconcile_seconds,
            1,
        ),
        ("gateway.graphql.depth", graphql.depth, 1),
        ("gateway.graphql.cost", graphql.cost, 1),
        ("gateway.graphql.root_fields", graphql.root_fields, 1),
        (
            "gateway.graphql.timeout_seconds",
            graphql.timeout_seconds,
            1,
        ),
    ]
    .into_iter()
    .chain(settings.gateway.websocket.amounts())
    .filter(|(_, value, least)| value < least)
    .map(|(key, value, least): (&str, u64, u64)| {
        let problem = format!("{value} is too little");
        ConfigError::new(key, problem, format!("Use at least {least}"))
    });
    let too_deep = (graphql.nesting > MAX_NESTING).then(|| {
        let problem = format!("{} is too much", graphql.nesting);
        let remedy = format!("Use at most {MAX_NESTING}");
        ConfigError::new("gateway.graphql.nesting", problem, remedy)
    });
    too_little.chain(too_deep).collect()
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
            "gateway.client_secret",
            settings.gateway.client_secret == defaults.gateway.client_secret,
        ),
        (
            "worker.client_secret",
            settings.worker.client_secret == defaults.worker.client_secret,
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
