//! Running other programs, cargo above all.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};

use testkit::process::{ProcessError, run_to_end};
use testkit::services::{Program, ServiceError};

/// Why a task did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("`{command}` failed: {status}")]
    Command { command: String, status: ExitStatus },
    #[error("{}", NotInstalled { programs, why })]
    NotInstalled { programs: Vec<Program>, why: String },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the output of `{command}` is not understood: {source}")]
    Output {
        command: String,
        source: serde_json::Error,
    },
    #[error("{} of {total} stages failed: {}", failed.len(), failed.join(", "))]
    Stages {
        total: usize,
        failed: Vec<&'static str>,
    },
    #[error("not up to date: {}; run `cargo xtask generate` and commit the result", .0.join(", "))]
    Outdated(Vec<String>),
    #[error("{0} changes that break clients: docs/api/released/README.md says what to do")]
    Breaking(usize),
    #[error("{0}")]
    Drill(String),
    #[error("{failed} of {total} drills failed")]
    Drills { failed: usize, total: usize },
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} violations of the architecture invariants")]
    Architecture(usize),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

struct NotInstalled<'a> {
    programs: &'a [Program],
    why: &'a str,
}

impl fmt::Display for NotInstalled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.programs.iter().map(|program| program.name()).collect();
        let packages: Vec<_> = self
            .programs
            .iter()
            .map(|program| program.debian_package())
            .collect();
        writeln!(f, "not installed: {} ({})", names.join(", "), self.why)?;
        writeln!(
            f,
            "  Debian, Ubuntu: apt-get install {}",
            packages.join(" ")
        )?;
        write!(f, "  or run with --embedded, which needs none of them")
    }
}

/// cargo, for the workspace.
///
/// `cargo run` sets variables about this package, which would make build scripts that watch
/// them, and all that depends on those, run again with every change between us and a plain cargo.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace::root());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_about_this_package(name)) {
        command.env_remove(name);
    }
    command
}

fn is_about_this_package(variable: &OsString) -> bool {
    let prefixes = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    let name = variable.to_string_lossy();
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Says what is run and runs it to its success.
///
/// # Errors
/// When it can't be started or fails.
pub async fn execute(command: &mut Command) -> Result<(), Failure> {
    eprintln!("+ {}", line(command));
    succeed(command).await
}

/// Runs a program with our output, and fails unless it succeeds. Dropping the future interrupts
/// it.
///
/// # Errors
/// When it can't be started or fails.
pub async fn succeed(command: &mut Command) -> Result<(), Failure> {
    let status = run_to_end(command).await?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Command {
        command: line(command),
        status,
    })
}

/// Runs a program to its end and returns its standard output; the rest goes where ours goes.
///
/// # Errors
/// When it can't be started or fails.
pub fn capture(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let Output { status, stdout, .. } = command.stderr(std::process::Stdio::inherit()).output()?;
    if status.success() {
        return Ok(stdout);
    }
    Err(Failure::Command {
        command: line(command),
        status,
    })
}

/// The command as one would type it.
#[must_use]
pub fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    std::iter::once(program)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
