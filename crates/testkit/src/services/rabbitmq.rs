use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{PATIENCE, Program, ServiceError, on_path, printed, temporary_folder};
use crate::process::ServerProcess;
use crate::{ports, readiness};

const PID_FILE: &str = "rabbitmq.pid";

/// A private RabbitMQ node with the user `guest`.
#[derive(Debug)]
pub struct RabbitMq {
    // Declared, and so ended, before its port mapper.
    process: ServerProcess,
    port_mapper: ServerProcess,
    port_mapper_port: u16,
    port: u16,
    folder: TempDir,
}

impl RabbitMq {
    /// Starts one on free ports. It takes a few seconds.
    ///
    /// Erlang would start its port mapper daemon (epmd) for everybody on the machine and leave it
    /// behind. This node has one of its own, on its own port, which ends with it.
    ///
    /// # Errors
    /// When it is not installed or doesn't start.
    pub async fn start() -> Result<Self, ServiceError> {
        let not_installed = ServiceError::NotInstalled(Program::RabbitMq);
        let Some(program) = Program::RabbitMq.find() else {
            return Err(not_installed);
        };
        let Some(epmd) = on_path("epmd") else {
            return Err(not_installed);
        };
        let folder = temporary_folder("rabbitmq")?;
        let (port, distribution_port) = (ports::free_port()?, ports::free_port()?);
        let port_mapper_port = ports::free_port()?;

        let mut command = Command::new(epmd);
        command.args([
            "-address",
            "127.0.0.1",
            "-port",
            &port_mapper_port.to_string(),
        ]);
        let port_mapper = ServerProcess::new("epmd", command, folder.path().join("epmd.log"));

        let configuration = folder.path().join("rabbitmq.conf");
        std::fs::write(
            &configuration,
            format!("listeners.tcp.local = 127.0.0.1:{port}\n"),
        )?;
        std::fs::write(folder.path().join("enabled_plugins"), "[].\n")?;
        std::fs::write(folder.path().join("rabbitmq-env.conf"), "")?;
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        command.envs(paths(folder.path()));
        command.envs(names(port, port_mapper_port));
        command.env("RABBITMQ_LOGS", "-");
        command.env("RABBITMQ_NODE_PORT", port.to_string());
        command.env("RABBITMQ_DIST_PORT", distribution_port.to_string());
        command.env("ERL_EPMD_ADDRESS", "127.0.0.1");
        let loopback_only = "-kernel inet_dist_use_interface {127,0,0,1}";
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", loopback_only);

        let process = ServerProcess::new("rabbitmq", command, folder.path().join("rabbitmq.log"));
        let mut rabbitmq = Self {
            process,
            port_mapper,
            port_mapper_port,
            port,
            folder,
        };
        rabbitmq.restart().await?;
        Ok(rabbitmq)
    }

    /// `amqp://guest:guest@127.0.0.1:PORT/%2f`
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// The loopback port that it listens on, the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the Erlang node while it runs. (Its parent, which we started, is the
    /// shell script that translates signals for it.)
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()?;
        let file = self.folder.path().join(PID_FILE);
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }

    /// Runs `rabbitmqctl` with these arguments against this node, and returns what it prints. It
    /// takes a second or two.
    ///
    /// # Errors
    /// When it fails, or is not installed.
    pub async fn control(&self, arguments: &[&str]) -> Result<String, ServiceError> {
        let program = Program::RabbitMq
            .find()
            .ok_or(ServiceError::NotInstalled(Program::RabbitMq))?;
        let mut command = tokio::process::Command::new(program.with_file_name("rabbitmqctl"));
        command.args(arguments).stdin(std::process::Stdio::null());
        command.envs(paths(self.folder.path()));
        command.envs(names(self.port, self.port_mapper_port));
        printed("rabbitmqctl", command.kill_on_drop(true).output().await?)
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub async fn stop(&mut self) -> Result<(), ServiceError> {
        self.process.stop().await?;
        Ok(self.port_mapper.stop().await?)
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port with the same queues, stopping it first if it runs.
    ///
    /// # Errors
    /// When it doesn't start.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        self.stop().await?;
        let (port, port_mapper_port) = (self.port, self.port_mapper_port);
        self.port_mapper
            .start(PATIENCE, async || readiness::tcp(port_mapper_port).await)
            .await?;
        Ok(self
            .process
            .start(PATIENCE, async || readiness::rabbitmq(port).await)
            .await?)
    }
}

/// How the node is found by its own programs.
fn names(port: u16, port_mapper_port: u16) -> [(&'static str, String); 2] {
    [
        ("RABBITMQ_NODENAME", format!("plumbline-{port}@localhost")),
        ("ERL_EPMD_PORT", port_mapper_port.to_string()),
    ]
}

/// Everything that a node reads and writes, so that nothing under /etc/rabbitmq or
/// /var/lib/rabbitmq matters. HOME holds the Erlang cookie.
fn paths(folder: &Path) -> [(&'static str, PathBuf); 7] {
    [
        ("HOME", folder.to_owned()),
        ("RABBITMQ_CONF_ENV_FILE", folder.join("rabbitmq-env.conf")),
        ("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf")),
        (
            "RABBITMQ_ENABLED_PLUGINS_FILE",
            folder.join("enabled_plugins"),
        ),
        ("RABBITMQ_LOG_BASE", folder.join("log")),
        ("RABBITMQ_MNESIA_BASE", folder.join("mnesia")),
        ("RABBITMQ_PID_FILE", folder.join(PID_FILE)),
    ]
}
