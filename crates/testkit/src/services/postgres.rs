use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::{Durability, PATIENCE, Program, ServiceError, run, temporary_folder};
use crate::process::{ProcessError, ServerProcess, Signal};
use crate::{ports, readiness};

/// A just-killed server's children may hold its shared memory for a moment, and a new one then
/// refuses to start.
const RESTART_ATTEMPTS: usize = 10;
const RESTART_PAUSE: Duration = Duration::from_millis(200);

/// A private PostgreSQL cluster with the superuser `postgres`, who needs no password.
#[derive(Debug)]
pub struct Postgres {
    process: ServerProcess,
    programs: PathBuf,
    port: u16,
    _folder: TempDir,
}

/// PostgreSQL's own benchmark, ready to run.
#[derive(Debug)]
pub struct Pgbench {
    pub program: PathBuf,
    pub url: String,
}

impl Postgres {
    /// Creates a cluster and starts it on a free port.
    ///
    /// As root it runs as the user `postgres`, since the server refuses to run as root.
    ///
    /// # Errors
    /// When it is not installed or doesn't start.
    pub async fn start(durability: Durability) -> Result<Self, ServiceError> {
        let program = Program::Postgres
            .find()
            .ok_or(ServiceError::NotInstalled(Program::Postgres))?;
        // Links of the server on PATH lead to the folder that has the other programs.
        let program = program.canonicalize()?;
        let programs = program.with_file_name("");
        let folder = temporary_folder("postgres")?;
        let account = Account::for_server()?;
        account.give(&folder)?;

        let data = folder.path().join("data");
        let mut initdb = account.command(programs.join("initdb"), &folder);
        initdb.arg("--pgdata").arg(&data);
        initdb.args(["--username=postgres", "--auth=trust", "--no-sync"]);
        initdb.args(["--encoding=UTF8", "--locale=C"]);
        run(&mut initdb)?;

        let port = ports::free_port()?;
        let mut command = account.command(program, &folder);
        command.arg("-D").arg(&data);
        for setting in settings(port, durability) {
            command.args(["-c", &setting]);
        }
        // SIGINT: fast shutdown; SIGQUIT: at once, with its children, and recovery at the start.
        let process = ServerProcess::new("postgres", command, folder.path().join("postgres.log"))
            .with_signals(Signal::INT, Signal::QUIT);
        let mut postgres = Self {
            process,
            programs,
            port,
            _folder: folder,
        };
        postgres.restart().await?;
        Ok(postgres)
    }

    /// The maintenance database: `postgres://postgres@127.0.0.1:PORT/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.database_url("postgres")
    }

    /// The URL of the database `name`.
    #[must_use]
    pub fn database_url(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Creates the empty database `name` and returns its URL.
    ///
    /// # Errors
    /// When it exists already or the server doesn't answer.
    pub fn create_database(&self, name: &str) -> Result<String, ServiceError> {
        let mut createdb = Command::new(self.programs.join("createdb"));
        createdb.args(["--host=127.0.0.1", "--username=postgres", "--no-password"]);
        createdb.arg(format!("--port={}", self.port)).arg(name);
        run(&mut createdb)?;
        Ok(self.database_url(name))
    }

    /// Runs SQL in the database `name`, as its superuser, and returns what it prints: a line a row.
    ///
    /// # Errors
    /// When the server doesn't answer, or refuses the statement.
    pub fn sql(&self, name: &str, statement: &str) -> Result<String, ServiceError> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--dbname"]);
        psql.arg(self.database_url(name))
            .args(["--command", statement]);
        run(&mut psql)
    }

    /// `pgbench` with a database that it has filled with a million accounts, so that two clients
    /// seldom want the same one.
    ///
    /// # Errors
    /// When it was called before, or the server doesn't answer.
    pub fn pgbench(&self) -> Result<Pgbench, ServiceError> {
        let program = self.programs.join("pgbench");
        let url = self.create_database("pgbench")?;
        let mut initialise = Command::new(&program);
        run(initialise.args(["--initialize", "--scale=10", "--quiet", &url]))?;
        Ok(Pgbench { program, url })
    }

    /// The loopback port that it listens on, the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the postmaster while it runs.
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

    /// Kills the postmaster as a crash would; the backends notice and end.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port with the same data, stopping it first if it runs.
    ///
    /// # Errors
    /// When it doesn't start.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        let port = self.port;
        for _ in 1..RESTART_ATTEMPTS {
            match self
                .process
                .start(PATIENCE, async || readiness::postgres(port).await)
                .await
            {
                Err(ProcessError::EndedEarly { .. }) => tokio::time::sleep(RESTART_PAUSE).await,
                outcome => return Ok(outcome?),
            }
        }
        Ok(self
            .process
            .start(PATIENCE, async || readiness::postgres(port).await)
            .await?)
    }
}

fn settings(port: u16, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(),
        // Every test has its own databases with their own pools.
        "max_connections=500".to_owned(),
        "shared_buffers=128MB".to_owned(),
        "timezone=UTC".to_owned(),
    ];
    if durability == Durability::Relaxed {
        settings.extend(
            [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
            ]
            .map(str::to_owned),
        );
    }
    settings
}

/// Whom the server runs as.
#[derive(Debug, Clone, Copy)]
enum Account {
    Ourselves,
    Other { user: u32, group: u32 },
}

impl Account {
    fn for_server() -> Result<Self, ServiceError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        Ok(Self::Other {
            user: identity("-u")?,
            group: identity("-g")?,
        })
    }

    fn give(self, folder: &TempDir) -> std::io::Result<()> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { user, group } => chown(folder.path(), Some(user), Some(group)),
        }
    }

    fn command(self, program: PathBuf, folder: &TempDir) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }
}

/// `id -u postgres` or `id -g postgres`.
fn identity(flag: &str) -> Result<u32, ServiceError> {
    let printed = run(Command::new("id").args([flag, "postgres"]))?;
    printed
        .trim()
        .parse()
        .map_err(|_| ServiceError::Preparation {
            command: format!("id {flag} postgres"),
            output: printed,
        })
}
