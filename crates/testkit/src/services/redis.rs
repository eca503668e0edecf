use std::process::Command;

use tempfile::TempDir;

use super::{PATIENCE, Program, ServiceError, temporary_folder};
use crate::process::ServerProcess;
use crate::{ports, readiness};

/// A private Redis that keeps nothing on disk: a restart comes back empty.
#[derive(Debug)]
pub struct Redis {
    process: ServerProcess,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When it is not installed or doesn't start.
    pub async fn start() -> Result<Self, ServiceError> {
        let program = Program::Redis
            .find()
            .ok_or(ServiceError::NotInstalled(Program::Redis))?;
        let folder = temporary_folder("redis")?;
        let port = ports::free_port()?;
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        let process = ServerProcess::new("redis", command, folder.path().join("redis.log"));
        let mut redis = Self {
            process,
            port,
            _folder: folder,
        };
        redis.restart().await?;
        Ok(redis)
    }

    /// `redis://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The loopback port that it listens on, the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub async fn stop(&mut self) -> Result<(), ServiceError> {
        Ok(self.process.stop().await?)
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, empty, stopping it first if it runs.
    ///
    /// # Errors
    /// When it doesn't start.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        let port = self.port;
        Ok(self
            .process
            .start(PATIENCE, async || readiness::redis(port).await)
            .await?)
    }
}
