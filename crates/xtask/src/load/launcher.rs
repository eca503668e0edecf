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

/// The release executable, and a folder for what it writes.
pub struct Launcher {
    program: PathBuf,
    logs: PathBuf,
    pub folder: TempDir,
}

/// A running process of the system.
#[derive(Debug)]
pub struct Role {
    pub name: &'static str,
    pub process: ServerProcess,
}

impl Launcher {
    pub fn new() -> Result<Self, Failure> {
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

    /// Starts a role, and waits until `path` on `port` answers 200.
    pub async fn role(
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
        let ready = async || readiness::http(port, path).await;
        process.start(PATIENCE, ready).await?;
        Ok(Role { name, process })
    }
}
