use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use super::ProcessError;
use super::group::{Group, POLL};

/// How long an interrupted program may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a program to its end, with our own output. Dropping the future interrupts the program and
/// everything that it started (SIGINT, then SIGKILL).
///
/// # Errors
/// When it can't be started or waited for.
pub async fn run_to_end(command: &mut Command) -> Result<ExitStatus, ProcessError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let group = Group::spawn(command, Signal::INT).map_err(|source| ProcessError::Spawn {
        name: name.clone(),
        source,
    })?;
    let mut task = Task(Some(group));
    loop {
        match task.exit_status() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => tokio::time::sleep(POLL).await,
            Err(source) => return Err(ProcessError::Wait { name, source }),
        }
    }
}

/// Ends its program when dropped.
struct Task(Option<Group>);

impl Task {
    fn exit_status(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.0.as_mut().map_or(Ok(None), Group::exit_status)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            group.end(Signal::INT, GRACE);
        }
    }
}
