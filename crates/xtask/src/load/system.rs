//! The system under load or in a drill: executables on private ports, with a folder of their own.

use std::process::Command;

use testkit::mail::MailCatcher;
use testkit::proxy::Proxy;
use testkit::services::{Pgbench, Services};

use super::launcher::{Launcher, Role, Settings, setting};
use super::setup;
use crate::command::{Failure, succeed};

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

/// What the system consists of.
#[derive(Debug, Clone)]
pub struct Blueprint {
    pub mode: Mode,
    /// Processes of the role; embedded there is one process for everything.
    pub gateways: usize,
    pub workers: usize,
    /// What it depends on can be made to fail: servers and provider are behind proxies, and the
    /// payment double is a process of its own in either mode and keeps its ledger in a file.
    pub is_exposed: bool,
    /// Of every role.
    pub settings: Settings,
}

impl Blueprint {
    /// The smallest one.
    pub fn of(mode: Mode) -> Self {
        Self {
            mode,
            gateways: 1,
            workers: 1,
            is_exposed: false,
            settings: Settings::new(),
        }
    }
}

/// The ways from the roles to what they depend on.
#[derive(Debug)]
pub struct Links {
    pub provider: Proxy,
    /// `None` when everything else is inside the process.
    pub servers: Option<ServerLinks>,
}

#[derive(Debug)]
pub struct ServerLinks {
    pub postgres: Proxy,
    pub redis: Proxy,
    pub rabbitmq: Proxy,
}

/// A running system. Everything of it ends with this value.
#[derive(Debug)]
pub struct System {
    pub mode: Mode,
    pub auth_url: String,
    /// Of the first gateway.
    pub gateway_url: String,
    /// What every role and the auditor share.
    pub settings: Settings,
    /// A line for the shell.
    pub audit_command: String,
    // Dropped, and so ended, in this order: those that use others come first.
    pub(super) roles: Vec<Role>,
    /// When it [is exposed](Blueprint::is_exposed).
    pub links: Option<Links>,
    /// What was mailed, unless that stays inside the process.
    pub mail: Option<MailCatcher>,
    /// When it is distributed.
    pub services: Option<Services>,
    pub(super) launcher: Launcher,
}

impl System {
    /// Starts the release executable on servers of its own and waits until it is ready.
    ///
    /// # Errors
    /// When a part doesn't start; the others are ended then.
    pub async fn start(mode: Mode) -> Result<Self, Failure> {
        let launcher = Launcher::new()?;
        let services = match mode {
            Mode::Embedded => None,
            Mode::Distributed => Some(crate::services::start_durable().await?),
        };
        Self::start_on(services, launcher, &Blueprint::of(mode)).await
    }

    /// Starts it on these servers, in databases and with queues of its own, and waits until it is
    /// ready. The embedded mode has no use for servers.
    ///
    /// # Errors
    /// When a part doesn't start; the others are ended then.
    pub async fn start_on(
        services: Option<Services>,
        launcher: Launcher,
        blueprint: &Blueprint,
    ) -> Result<Self, Failure> {
        match blueprint.mode {
            Mode::Embedded => setup::embedded(launcher, blueprint).await,
            Mode::Distributed => {
                let services = services.ok_or(Failure::Missing("servers"))?;
                setup::distributed(services, launcher, blueprint).await
            }
        }
    }

    /// `name=pid` of every process that does the system's work, with commas.
    pub fn process_ids(&self) -> String {
        let roles = self.roles.iter();
        let roles = roles.map(|role| (role.name.as_str(), role.process.id()));
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

    /// One role, for example `worker-2`, to be stopped, killed and started. Embedded it is the
    /// one process, whatever it is called for.
    ///
    /// # Errors
    /// When there is none.
    pub fn role(&mut self, name: &'static str) -> Result<&mut Role, Failure> {
        let is_inside = self.mode == Mode::Embedded && name != setup::PROVIDER;
        let name = if is_inside { setup::EVERYTHING } else { name };
        let mut roles = self.roles.iter_mut();
        let found = roles.find(|role| role.name == name);
        found.ok_or(Failure::Missing(name))
    }

    /// Everything that works on orders: gateways and workers.
    pub fn ordering_roles(&mut self) -> impl Iterator<Item = &mut Role> {
        let others = ["auth", setup::PROVIDER];
        let roles = self.roles.iter_mut();
        roles.filter(move |role| !others.contains(&role.name.as_str()))
    }

    /// Where orders are placed: every gateway.
    pub fn gateway_urls(&self) -> Vec<String> {
        let is_gateway =
            |role: &&Role| role.name.starts_with("gateway") || role.name == setup::EVERYTHING;
        let gateways = self.roles.iter().filter(is_gateway);
        gateways.map(Role::url).collect()
    }

    /// Where the payment double has its switches.
    ///
    /// # Errors
    /// When it is inside another process.
    pub fn provider_url(&self) -> Result<String, Failure> {
        let mut roles = self.roles.iter();
        let provider = roles.find(|role| role.name == setup::PROVIDER);
        provider
            .map(Role::url)
            .ok_or(Failure::Missing(setup::PROVIDER))
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

    /// A command of plumbline over the system's databases, for example `audit`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.launcher.command(arguments, &self.settings)
    }

    /// The database of the ordering context.
    ///
    /// # Errors
    /// When there is none, which would be a mistake.
    pub fn orders_url(&self) -> Result<String, Failure> {
        match self.mode {
            Mode::Distributed => Ok(self.value("orders.database_url")?.to_owned()),
            Mode::Embedded => {
                let folder = self.value("storage.data_dir")?;
                Ok(format!("sqlite:{folder}/orders.db"))
            }
        }
    }

    /// `pgbench` on the system's PostgreSQL, in a database of its own that it has filled. None in
    /// the embedded mode.
    ///
    /// # Errors
    /// When the database can't be made.
    pub fn pgbench(&self) -> Result<Option<Pgbench>, Failure> {
        let services = self.services.as_ref();
        let pgbench = services.map(|services| services.postgres.pgbench());
        Ok(pgbench.transpose()?)
    }

    /// Runs SQL in the orders' database and returns a line for each row.
    ///
    /// # Errors
    /// When it is embedded, or the server refuses the statement.
    pub fn orders_sql(&self, statement: &str) -> Result<String, Failure> {
        let services = self.services.as_ref();
        let services = services.ok_or(Failure::Missing("PostgreSQL"))?;
        let url = self.value("orders.database_url")?;
        let (_, name) = url.rsplit_once('/').unwrap_or_default();
        Ok(services.postgres.sql(name, statement)?)
    }

    /// Stops everything in good order, those that use others first.
    ///
    /// # Errors
    /// When a process can't be waited for, or a role had ended on its own.
    pub async fn stop(self) -> Result<(), Failure> {
        if let Some(mut services) = self.leave().await? {
            services.stop().await?;
        }
        Ok(())
    }

    /// Stops all roles in good order, and hands back the servers.
    ///
    /// # Errors
    /// When a process can't be waited for, or a role had ended on its own.
    pub async fn leave(mut self) -> Result<Option<Services>, Failure> {
        for role in &mut self.roles {
            if let Some(status) = role.process.exit_status()? {
                let command = format!("plumbline ({})", role.name);
                return Err(Failure::Command { command, status });
            }
            role.process.stop().await?;
        }
        Ok(self.services.take())
    }

    /// Kills all roles, and hands back the servers.
    pub fn abandon(mut self) -> Option<Services> {
        self.roles.clear();
        self.services.take()
    }

    /// Migrates, and fills the shop.
    pub(super) async fn fill(launcher: &Launcher, settings: &Settings) -> Result<(), Failure> {
        succeed(&mut launcher.command(&["migrate", "up"], settings)).await?;
        let seed = ["seed", "--password", setup::DEMO_PASSWORD];
        succeed(&mut launcher.command(&seed, settings)).await
    }
}
