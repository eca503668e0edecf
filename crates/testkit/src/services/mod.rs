//! Private PostgreSQL, Redis and RabbitMQ servers: in a temporary folder, on free loopback ports,
//! ended with everything that they left behind when dropped.
//!
//! The programs are those installed on the machine ([`Program`]); nothing is downloaded here.

mod postgres;
mod program;
mod rabbitmq;
mod redis;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use postgres::{Pgbench, Postgres};
pub use program::Program;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;

use crate::environment;
use crate::process::ProcessError;

/// The longest that a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why a private server is not there.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("{} is not installed (Debian: apt-get install {})", .0.name(), .0.debian_package())]
    NotInstalled(Program),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("{command} failed: {output}")]
    Preparation { command: String, output: String },
    #[error("cannot prepare a private server: {0}")]
    Io(#[from] io::Error),
}

/// Whether a server waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Fast, for tests: survives `kill -9` of the server, not a crash of the machine.
    Relaxed,
    /// As in production, for measurements.
    Full,
}

/// All three servers.
#[derive(Debug)]
pub struct Services {
    pub postgres: Postgres,
    pub redis: Redis,
    pub rabbitmq: RabbitMq,
}

impl Services {
    /// Starts all three at once.
    ///
    /// # Errors
    /// The first failure; what had started by then is ended.
    pub async fn start(durability: Durability) -> Result<Self, ServiceError> {
        let (postgres, redis, rabbitmq) = tokio::try_join!(
            Postgres::start(durability),
            Redis::start(),
            RabbitMq::start()
        )?;
        Ok(Self {
            postgres,
            redis,
            rabbitmq,
        })
    }

    /// The variables that hand these servers to tests.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            (environment::POSTGRES_URL, self.postgres.url()),
            (environment::REDIS_URL, self.redis.url()),
            (environment::AMQP_URL, self.rabbitmq.url()),
        ]
    }

    /// Stops all three in good order.
    ///
    /// # Errors
    /// When a server can't be waited for.
    pub async fn stop(&mut self) -> Result<(), ServiceError> {
        tokio::try_join!(
            self.postgres.stop(),
            self.redis.stop(),
            self.rabbitmq.stop()
        )?;
        Ok(())
    }
}

/// A folder that ends with its server, named so that a leftover tells where it came from.
fn temporary_folder(server: &str) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("plumbline-{server}-"))
        .tempdir()
}

/// Runs a program that prepares something, and returns what it printed.
fn run(command: &mut std::process::Command) -> Result<String, ServiceError> {
    let output = command.stdin(std::process::Stdio::null()).output()?;
    printed(&command.get_program().to_string_lossy(), output)
}

/// What a program that succeeded printed.
fn printed(program: &str, output: std::process::Output) -> Result<String, ServiceError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ServiceError::Preparation {
        command: program.to_owned(),
        output: [output.stdout, output.stderr]
            .iter()
            .map(|stream| String::from_utf8_lossy(stream).trim().to_owned())
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn on_path(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}
