//! The system under load: release executables on private ports, with a folder of its own.

use tempfile::TempDir;
use testkit::mail::MailCatcher;
use testkit::ports;
use testkit::services::Services;

use super::launcher::{Launcher, Role, Settings, setting, url};
use crate::command::{Failure, succeed};
use crate::services;

/// The one that the load generator logs in with if nobody tells it another.
const DEMO_PASSWORD: &str = "plumbline-demo-password";
const READY: &str = "/health/ready";

/// Roles refuse the default secrets, which are public. These are for a system on loopback that
/// lives for minutes.
const SECRETS: [(&str, &str); 6] = [
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
    ("payment.secret_key", "sk_test_load_only"),
    ("payment.webhook_secrets", "whsec_load_only"),
];

/// How the system runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Embedded,
    Distributed,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Distributed => "distributed",
        }
    }
}

/// A running system. Everything of it ends with this value.
#[derive(Debug)]
pub struct System {
    pub mode: Mode,
    pub auth_url: String,
    pub gateway_url: String,
    /// What every role and the auditor share.
    pub settings: Settings,
    /// A line for the shell.
    pub audit_command: String,
    // Dropped, and so ended, in this order.
    roles: Vec<Role>,
    _mail: Option<MailCatcher>,
    services: Option<Services>,
    _folder: TempDir,
}

impl System {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When a part doesn't start; the others are ended then.
    pub async fn start(mode: Mode) -> Result<Self, Failure> {
        match mode {
            Mode::Embedded => start_embedded().await,
            Mode::Distributed => start_distributed().await,
        }
    }

    /// `name=pid` of every process that does the system's work, with commas.
    pub fn process_ids(&self) -> String {
        let roles = self.roles.iter().map(|role| (role.name, role.process.id()));
        let services = self.services.iter().flat_map(|services| {
            [
                ("postgres", services.postgres.id()),
                ("redis", services.redis.id()),
                ("rabbitmq", services.rabbitmq.id()),
            ]
        });
        let running = roles
            .chain(services)
            .filter_map(|(name, id)| Some(format!("{name}={}", id?)));
        running.collect::<Vec<_>>().join(",")
    }

    /// The process of one role.
    ///
    /// # Errors
    /// When there is none.
    pub fn process_id(&self, name: &'static str) -> Result<u32, Failure> {
        let role = self.roles.iter().find(|role| role.name == name);
        let id = role.and_then(|role| role.process.id());
        id.ok_or(Failure::Missing(name))
    }

    /// The value of a setting that all roles share.
    ///
    /// # Errors
    /// When it has its default.
    pub fn value(&self, key: &'static str) -> Result<&str, Failure> {
        let (name, _) = setting(key, "");
        let found = self.settings.iter().find(|(set, _)| *set == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or(Failure::Missing(key))
    }

    /// Stops everything in good order, those that use others first.
    ///
    /// # Errors
    /// When a process can't be waited for, or a role had ended on its own.
    pub async fn stop(mut self) -> Result<(), Failure> {
        for role in &mut self.roles {
            if let Some(status) = role.process.exit_status()? {
                let command = format!("plumbline ({})", role.name);
                return Err(Failure::Command { command, status });
            }
            role.process.stop().await?;
        }
        if let Some(services) = &mut self.services {
            services.stop().await?;
        }
        Ok(())
    }
}

/// One process with everything in it, on SQLite files.
async fn start_embedded() -> Result<System, Failure> {
    let launcher = Launcher::new()?;
    let port = ports::free_port()?;
    // A folder of ours instead of --ephemeral: the auditor opens the same files.
    let data_dir = launcher.folder.path().join("data");
    let mut settings = vec![
        setting("server.port", port),
        setting("storage.data_dir", data_dir.display()),
    ];
    settings.extend(no_limits());
    let role = launcher
        .role("plumbline", &[], &settings, port, READY)
        .await?;
    Ok(System {
        mode: Mode::Embedded,
        auth_url: url(port),
        gateway_url: url(port),
        audit_command: launcher.audit_command(),
        settings,
        roles: vec![role],
        services: None,
        _mail: None,
        _folder: launcher.folder,
    })
}

/// A process for each role, and the payment double, on private servers.
async fn start_distributed() -> Result<System, Failure> {
    let launcher = Launcher::new()?;
    let services = services::start_durable().await?;
    let mail = MailCatcher::start().await?;
    let ports = Ports {
        auth: ports::free_port()?,
        auth_grpc: ports::free_port()?,
        gateway: ports::free_port()?,
        worker: ports::free_port()?,
        payment: ports::free_port()?,
    };
    let settings = shared_settings(&services, &mail, &ports)?;
    succeed(&mut launcher.command(&["migrate", "up"], &settings)).await?;
    let seed = ["seed", "--password", DEMO_PASSWORD];
    succeed(&mut launcher.command(&seed, &settings)).await?;
    let roles = start_roles(&launcher, &settings, &ports).await?;
    Ok(System {
        mode: Mode::Distributed,
        auth_url: url(ports.auth),
        gateway_url: url(ports.gateway),
        audit_command: launcher.audit_command(),
        settings,
        roles,
        services: Some(services),
        _mail: Some(mail),
        _folder: launcher.folder,
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
    gateway: u16,
    worker: u16,
    payment: u16,
}

fn shared_settings(
    services: &Services,
    mail: &MailCatcher,
    ports: &Ports,
) -> Result<Settings, Failure> {
    let auth_database = services.postgres.create_database("auth")?;
    let orders_database = services.postgres.create_database("orders")?;
    let mut settings = SECRETS.map(|(key, value)| setting(key, value)).to_vec();
    settings.extend(no_limits());
    settings.extend([
        setting("server.public_url", url(ports.gateway)),
        setting("auth.url", url(ports.auth)),
        setting("auth.grpc_url", url(ports.auth_grpc)),
        setting("auth.grpc_port", ports.auth_grpc),
        setting("auth.database_url", auth_database),
        setting("orders.database_url", orders_database),
        setting("broker.url", services.rabbitmq.url()),
        setting("cache.url", services.redis.url()),
        setting("payment.url", url(ports.payment)),
        setting("mail.url", mail.url()),
    ]);
    Ok(settings)
}

/// The last one started comes first: it is the first to be stopped.
async fn start_roles(
    launcher: &Launcher,
    settings: &Settings,
    ports: &Ports,
) -> Result<Vec<Role>, Failure> {
    let bind = format!("127.0.0.1:{}", ports.payment);
    let webhooks = format!("{}/webhooks/stripe", url(ports.gateway));
    let arguments = [
        "payment-double",
        "--bind",
        &bind,
        "--webhook-url",
        &webhooks,
    ];
    let double = launcher.role(
        "payment-double",
        &arguments,
        settings,
        ports.payment,
        "/health/live",
    );
    let mut roles = vec![double.await?];
    for (role, port) in [
        ("auth", ports.auth),
        ("gateway", ports.gateway),
        ("worker", ports.worker),
    ] {
        let mut settings = settings.clone();
        settings.push(setting("server.port", port));
        settings.push(setting("server.metrics_port", ports::free_port()?));
        roles.insert(
            0,
            launcher.role(role, &[role], &settings, port, READY).await?,
        );
    }
    Ok(roles)
}
