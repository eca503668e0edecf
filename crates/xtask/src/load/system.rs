//! The system under load: release executables on private ports, with a folder of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testkit::mail::MailCatcher;
use testkit::process::ServerProcess;
use testkit::services::Services;
use testkit::{ports, readiness};

use crate::command::{Failure, succeed};
use crate::{services, workspace};

/// How long a role may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// Configuration as variables of the environment (`PLUMBLINE__SECTION__KEY`).
pub type Settings = Vec<(String, String)>;

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

#[derive(Debug)]
struct Role {
    name: &'static str,
    process: ServerProcess,
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

    /// Stops everything in good order, those that use others first.
    ///
    /// # Errors
    /// When a process can't be waited for, or a role had ended on its own.
    pub async fn stop(mut self) -> Result<(), Failure> {
        for role in &mut self.roles {
            if let Some(status) = role.process.exit_status()? {
                let command = format!("plumbline ({})", role.name);
                return Err(Failure::Command {
                    command,
                    status: status.to_string(),
                });
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
    let settings = vec![
        setting("server.port", port),
        setting("storage.data_dir", data_dir.display()),
    ];
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
    let [auth, gateway, worker] = [
        ports::free_port()?,
        ports::free_port()?,
        ports::free_port()?,
    ];
    let payment = ports::free_port()?;
    let mut settings = SECRETS.map(|(key, value)| setting(key, value)).to_vec();
    settings.extend([
        setting("server.public_url", url(gateway)),
        setting("auth.url", url(auth)),
        setting(
            "auth.database_url",
            services.postgres.create_database("auth")?,
        ),
        setting(
            "orders.database_url",
            services.postgres.create_database("orders")?,
        ),
        setting("broker.url", services.rabbitmq.url()),
        setting("cache.url", services.redis.url()),
        setting("payment.url", url(payment)),
        setting("mail.url", mail.url()),
    ]);
    succeed(&mut launcher.command(&["migrate", "up"], &settings)).await?;
    succeed(&mut launcher.command(&["seed", "--password", DEMO_PASSWORD], &settings)).await?;

    let webhooks = format!("{}/webhooks/stripe", url(gateway));
    let bind = format!("127.0.0.1:{payment}");
    let double = [
        "payment-double",
        "--bind",
        &bind,
        "--webhook-url",
        &webhooks,
    ];
    let double = launcher.role(
        "payment-double",
        &double,
        &settings,
        payment,
        "/health/live",
    );
    let mut roles = vec![double.await?];
    for (role, port) in [("auth", auth), ("gateway", gateway), ("worker", worker)] {
        let mut settings = settings.clone();
        settings.push(setting("server.port", port));
        settings.push(setting("server.metrics_port", ports::free_port()?));
        roles.push(launcher.role(role, &[role], &settings, port, READY).await?);
    }
    roles.reverse();
    Ok(System {
        mode: Mode::Distributed,
        auth_url: url(auth),
        gateway_url: url(gateway),
        audit_command: launcher.audit_command(),
        settings,
        roles,
        services: Some(services),
        _mail: Some(mail),
        _folder: launcher.folder,
    })
}

/// Roles refuse the default secrets, which are public. These are for a system on loopback that
/// lives for minutes.
const SECRETS: [(&str, &str); 5] = [
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
    ("payment.secret_key", "sk_test_load_only"),
    ("payment.webhook_secrets", "whsec_load_only"),
];

/// The one that the load generator logs in with if nobody tells it another.
const DEMO_PASSWORD: &str = "plumbline-demo-password";
const READY: &str = "/health/ready";

/// Starts the plumbline executable.
struct Launcher {
    program: PathBuf,
    logs: PathBuf,
    folder: TempDir,
}

impl Launcher {
    fn new() -> Result<Self, Failure> {
        let target = workspace::metadata()?.target_directory;
        // Kept after the run, for whoever wants to know why it failed.
        let logs = target.join("load/logs");
        std::fs::create_dir_all(&logs)?;
        Ok(Self {
            program: target.join("release/plumbline"),
            logs,
            folder: tempfile::Builder::new()
                .prefix("plumbline-load-")
                .tempdir()?,
        })
    }

    fn command(&self, arguments: &[&str], settings: &Settings) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path());
        configure(&mut command, settings);
        command
    }

    fn audit_command(&self) -> String {
        format!("'{}' audit", self.program.display())
    }

    /// Starts a role, and waits until `path` on `port` answers 200.
    async fn role(
        &self,
        name: &'static str,
        arguments: &[&str],
        settings: &Settings,
        port: u16,
        path: &str,
    ) -> Result<Role, Failure> {
        let log = self.logs.join(format!("{name}.log"));
        std::fs::write(&log, "")?;
        eprintln!("{name}: {} (log: {})", url(port), log.display());
        let mut process = ServerProcess::new(name, self.command(arguments, settings), log);
        process
            .start(PATIENCE, async || readiness::http(port, path).await)
            .await?;
        Ok(Role { name, process })
    }
}

/// Hands these settings to a program, and none that our own environment may have.
pub fn configure(command: &mut Command, settings: &Settings) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(PREFIX) {
            command.env_remove(name);
        }
    }
    command.envs(settings.iter().cloned());
}

const PREFIX: &str = "PLUMBLINE__";

/// `server.port` as the variable `PLUMBLINE__SERVER__PORT`.
fn setting(key: &str, value: impl ToString) -> (String, String) {
    (
        format!("{PREFIX}{}", key.to_uppercase().replace('.', "__")),
        value.to_string(),
    )
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
