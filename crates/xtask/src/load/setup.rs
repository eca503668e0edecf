//! Starts the parts of a system.

use testkit::mail::MailCatcher;
use testkit::ports;
use testkit::proxy::Proxy;
use testkit::services::Services;
use tokio::task::{JoinSet, LocalSet};

use super::launcher::{Launcher, Role, Settings, setting, url};
use super::system::{Blueprint, Links, Mode, ServerLinks, System};
use crate::command::Failure;

/// The one that the load generator logs in with if nobody tells it another.
pub const DEMO_PASSWORD: &str = "plumbline-demo-password";
/// The payment double.
pub const PROVIDER: &str = "payment-double";
/// The one process of the embedded mode.
pub const EVERYTHING: &str = "plumbline";
/// With what one may ask the payment double.
pub const PROVIDER_KEY: &str = "sk_test_load_only";
const READY: &str = "/health/ready";

/// Roles refuse the default secrets, which are public. These are for a system on loopback that
/// lives for minutes.
const SECRETS: [(&str, &str); 7] = [
    (
        "auth.encryption_key",
        "load:bG9hZC10ZXN0LW9ubHktZW5jcnlwdGlvbi1rZXktMDE",
    ),
    (
        "auth.token_secret",
        "bG9hZC10ZXN0LW9ubHktdG9rZW4tc2VjcmV0LTAwMDE",
    ),
    (
        "gateway.cursor_secret",
        "bG9hZC10ZXN0LW9ubHktY3Vyc29yLXNlY3JldC0wMDE",
    ),
    (
        "gateway.client_secret",
        "bG9hZC10ZXN0LW9ubHktY2xpZW50LXNlY3JldC0wMDE",
    ),
    (
        "worker.client_secret",
        "bG9hZC10ZXN0LW9ubHktd29ya2VyLXNlY3JldC0wMDE",
    ),
    ("payment.secret_key", PROVIDER_KEY),
    ("payment.webhook_secrets", "whsec_load_only"),
];

/// One process with everything in it, on SQLite files.
pub async fn embedded(launcher: Launcher, blueprint: &Blueprint) -> Result<System, Failure> {
    let port = ports::free_port()?;
    // A folder of ours instead of --ephemeral: the auditor opens the same files.
    let data_dir = launcher.folder.path().join("data");
    let mut settings = vec![
        setting("server.port", port),
        setting("storage.data_dir", data_dir.display()),
    ];
    settings.extend(no_limits());
    settings.extend(blueprint.settings.iter().cloned());
    let (mut links, mut mail, mut provider) = (None, None, None);
    if blueprint.is_exposed {
        let catcher = MailCatcher::start().await?;
        let provider_port = ports::free_port()?;
        let proxy = Proxy::start(provider_port).await?;
        settings.extend([
            setting("payment.secret_key", PROVIDER_KEY),
            setting("payment.url", url(proxy.port())),
            setting("mail.url", catcher.url()),
        ]);
        let role = payment_double(&launcher, &settings, provider_port, port, true)?;
        (mail, provider) = (Some(catcher), Some(role));
        links = Some(Links {
            provider: proxy,
            servers: None,
        });
    }
    let everything = launcher.role(EVERYTHING, &[], &settings, port, READY)?;
    let roles = start_all([everything].into_iter().chain(provider)).await?;
    Ok(System {
        mode: Mode::Embedded,
        auth_url: url(port),
        gateway_url: url(port),
        audit_command: launcher.audit_command(),
        settings,
        roles,
        links,
        mail,
        services: None,
        launcher,
    })
}

/// Processes for each role, and the payment double, on these servers.
pub async fn distributed(
    services: Services,
    launcher: Launcher,
    blueprint: &Blueprint,
) -> Result<System, Failure> {
    let mail = MailCatcher::start().await?;
    let ports = Ports::choose(blueprint)?;
    let links = if blueprint.is_exposed {
        Some(Links {
            provider: Proxy::start(ports.provider).await?,
            servers: Some(ServerLinks {
                postgres: Proxy::start(services.postgres.port()).await?,
                redis: Proxy::start(services.redis.port()).await?,
                rabbitmq: Proxy::start(services.rabbitmq.port()).await?,
            }),
        })
    } else {
        None
    };
    let mut settings = shared_settings(&services, links.as_ref(), &ports)?;
    settings.push(setting("mail.url", mail.url()));
    settings.extend(blueprint.settings.iter().cloned());
    System::fill(&launcher, &settings).await?;
    let roles = start_all(roles(&launcher, &settings, &ports, blueprint)?).await?;
    Ok(System {
        mode: Mode::Distributed,
        auth_url: url(ports.auth),
        gateway_url: url(ports.gateways[0]),
        audit_command: launcher.audit_command(),
        settings,
        roles,
        links,
        mail: Some(mail),
        services: Some(services),
        launcher,
    })
}

/// All load comes from one client, and may use one account for all of it.
fn no_limits() -> Settings {
    let limits = [
        "auth.limits.log_ins_per_client",
        "auth.limits.log_ins_per_account",
        "auth.limits.log_ins",
        "auth.limits.refreshes_per_client",
        "auth.limits.mail_requests_per_client",
        "auth.limits.other_requests_per_client",
        "gateway.limits.cost_per_client",
        "gateway.limits.cost_per_user",
        "gateway.limits.orders_per_user",
        "gateway.websocket.connections_per_user",
    ];
    let unlimited = |name: &str| setting(name, 1_000_000_000);
    limits.map(unlimited).to_vec()
}

struct Ports {
    auth: u16,
    auth_grpc: u16,
    /// At least one.
    gateways: Vec<u16>,
    workers: Vec<u16>,
    provider: u16,
}

impl Ports {
    fn choose(blueprint: &Blueprint) -> std::io::Result<Self> {
        let some = |count: usize| (0..count).map(|_| ports::free_port()).collect();
        let gateways: std::io::Result<Vec<u16>> = some(blueprint.gateways.max(1));
        Ok(Self {
            auth: ports::free_port()?,
            auth_grpc: ports::free_port()?,
            gateways: gateways?,
            workers: some(blueprint.workers)?,
            provider: ports::free_port()?,
        })
    }
}

fn shared_settings(
    services: &Services,
    links: Option<&Links>,
    ports: &Ports,
) -> Result<Settings, Failure> {
    let Services {
        postgres,
        redis,
        rabbitmq,
    } = services;
    let servers = links.and_then(|links| links.servers.as_ref());
    let through = |proxy: fn(&ServerLinks) -> &Proxy, direct: u16| {
        servers.map_or(direct, |links| proxy(links).port())
    };
    let at = |url: String, direct: u16, port: u16| {
        url.replace(&format!(":{direct}"), &format!(":{port}"))
    };
    let (postgres_port, redis_port, rabbitmq_port) = (
        through(|links| &links.postgres, postgres.port()),
        through(|links| &links.redis, redis.port()),
        through(|links| &links.rabbitmq, rabbitmq.port()),
    );
    let provider_port = links.map_or(ports.provider, |links| links.provider.port());
    // No two systems of this process have the same.
    let name = format!("plumbline_{}", ports.gateways[0]);
    let auth_database = postgres.create_database(&format!("{name}_auth"))?;
    let orders_database = postgres.create_database(&format!("{name}_orders"))?;
    let mut settings = SECRETS.map(|(key, value)| setting(key, value)).to_vec();
    settings.extend(no_limits());
    settings.extend([
        setting("server.public_url", url(ports.gateways[0])),
        setting("auth.url", url(ports.auth)),
        setting("auth.grpc_url", url(ports.auth_grpc)),
        setting("auth.grpc_port", ports.auth_grpc),
        setting(
            "auth.database_url",
            at(auth_database, postgres.port(), postgres_port),
        ),
        setting(
            "orders.database_url",
            at(orders_database, postgres.port(), postgres_port),
        ),
        setting(
            "broker.url",
            at(rabbitmq.url(), rabbitmq.port(), rabbitmq_port),
        ),
        setting("broker.namespace", &name),
        setting("cache.url", at(redis.url(), redis.port(), redis_port)),
        setting("cache.namespace", &name),
        setting("payment.url", url(provider_port)),
    ]);
    Ok(settings)
}

/// Those that use others come first: they are the first to be stopped.
fn roles(
    launcher: &Launcher,
    settings: &Settings,
    ports: &Ports,
    blueprint: &Blueprint,
) -> Result<Vec<Role>, Failure> {
    let workers = ports.workers.iter().map(|port| ("worker", *port));
    let gateways = ports.gateways.iter().map(|port| ("gateway", *port));
    let all = workers.chain(gateways).chain([("auth", ports.auth)]);
    let mut roles: Vec<Role> = Vec::new();
    for (kind, port) in all {
        let before = roles.iter().filter(|role| role.name.starts_with(kind));
        let name = match before.count() {
            0 => kind.to_owned(),
            others => format!("{kind}-{}", others + 1),
        };
        let mut settings = settings.clone();
        settings.push(setting("server.port", port));
        settings.push(setting("server.metrics_port", ports::free_port()?));
        roles.push(launcher.role(name, &[kind], &settings, port, READY)?);
    }
    let (provider, gateway) = (ports.provider, ports.gateways[0]);
    let is_exposed = blueprint.is_exposed;
    let double = payment_double(launcher, settings, provider, gateway, is_exposed)?;
    roles.push(double);
    Ok(roles)
}

/// The payment double, which tells the gateway at this port.
fn payment_double(
    launcher: &Launcher,
    settings: &Settings,
    port: u16,
    gateway: u16,
    is_durable: bool,
) -> Result<Role, Failure> {
    let bind = format!("127.0.0.1:{port}");
    let webhooks = format!("{}/webhooks/stripe", url(gateway));
    let journal = launcher.folder.path().join("provider.jsonl");
    let journal = journal.to_string_lossy();
    let mut arguments = vec![PROVIDER, "--bind", &bind, "--webhook-url", &webhooks];
    if is_durable {
        arguments.extend(["--journal", &journal]);
    }
    launcher.role(PROVIDER, &arguments, settings, port, "/health/live")
}

/// Starts all at once, and returns them in their order.
async fn start_all(roles: impl IntoIterator<Item = Role>) -> Result<Vec<Role>, Failure> {
    let at_once = LocalSet::new();
    let starting = async {
        let mut starting = JoinSet::new();
        for (place, mut role) in roles.into_iter().enumerate() {
            starting.spawn_local(async move { role.start().await.map(|()| (place, role)) });
        }
        let mut started = Vec::new();
        while let Some(role) = starting.join_next().await {
            started.push(role.map_err(std::io::Error::other)??);
        }
        started.sort_by_key(|(place, _)| *place);
        Ok(started.into_iter().map(|(_, role)| role).collect())
    };
    at_once.run_until(starting).await
}
