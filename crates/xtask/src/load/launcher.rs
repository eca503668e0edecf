//! Starts the plumbline executable with settings of ours.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testkit::process::ServerProcess;
use testkit::readiness;

use crate::command::Failure;
use crate::workspace;

/// How long a role may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(60);
const PREFIX: &str = "PLUMBLINE__";

/// Configuration as variables of the environment (`PLUMBLINE__SECTION__KEY`).
pub type Settings = Vec<(String, String)>;

/// `server.port` as the variable `PLUMBLINE__SERVER__PORT`.
pub fn setting(key: &str, value: impl ToString) -> (String, String) {
    let name = format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"));
    (name, value.to_string())
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

pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The executable, and a folder for what it writes.
#[derive(Debug)]
pub struct Launcher {
    program: PathBuf,
    logs: PathBuf,
    pub folder: TempDir,
}

/// A process of the system, started and ended any number of times.
#[derive(Debug)]
pub struct Role {
    /// `gateway`, and those beside it `gateway-2` and so on.
    pub name: String,
    pub port: u16,
    pub process: ServerProcess,
    /// What answers 200 when it is ready.
    ready_path: &'static str,
}

impl Launcher {
    /// Of the release executable.
    pub fn new() -> Result<Self, Failure> {
        let target = workspace::metadata()?.target_directory;
        Self::of(target.join("release/plumbline"), target.join("load/logs"))
    }

    /// The logs are kept after the run, for whoever wants to know why it failed.
    pub fn of(program: PathBuf, logs: PathBuf) -> Result<Self, Failure> {
        std::fs::create_dir_all(&logs)?;
        Ok(Self {
            program,
            logs,
            folder: tempfile::Builder::new()
                .prefix("plumbline-load-")
                .tempdir()?,
        })
    }

    pub fn command(&self, arguments: &[&str], settings: &Settings) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path());
        configure(&mut command, settings);
        command
    }

    /// A line for the shell; the settings must be in its environment.
    pub fn audit_command(&self) -> String {
        format!("'{}' audit", self.program.display())
    }

    /// A role that is not started yet.
    pub fn role(
        &self,
        name: impl Into<String>,
        arguments: &[&str],
        settings: &Settings,
        port: u16,
        ready_path: &'static str,
    ) -> Result<Role, Failure> {
        let name = name.into();
        let log = self.logs.join(format!("{name}.log"));
        std::fs::write(&log, "")?;
        eprintln!("{name}: {} (log: {})", url(port), log.display());
        let process = ServerProcess::new(&name, self.command(arguments, settings), log);
        Ok(Role {
            name,
            port,
            process,
            ready_path,
        })
    }
}

impl Role {
    /// Starts it, stopping it first if it runs, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let (port, path) = (self.port, self.ready_path);
        let ready = async || readiness::http(port, path).await;
        Ok(self.process.start(PATIENCE, ready).await?)
    }

    pub fn url(&self) -> String {
        url(self.port)
    }
}
