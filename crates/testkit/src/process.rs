//! Processes that can't outlive whoever started them.
//!
//! Each runs in a process group of its own, so that a Ctrl-C in the terminal reaches only us and
//! we end it in order. Should we be killed without a chance to do so (`kill -9`, an abort), its
//! guard does: a shell that waits for the end of a pipe that only we hold open.

mod group;
mod task;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use group::{Group, POLL};
pub use rustix::process::Signal;
pub use task::run_to_end;

/// How long a process may take to end after being asked.
const GRACE: Duration = Duration::from_secs(15);
/// How long an aborted one may take.
const ABORT_GRACE: Duration = Duration::from_secs(5);
/// Lines of the log that an error shows.
const LOG_TAIL: usize = 25;

/// Why a server process is not there.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("cannot start {name}: {source}")]
    Spawn { name: String, source: io::Error },
    #[error("{name} ended while starting ({status}); the end of {}:\n{tail}", log.display())]
    EndedEarly {
        name: String,
        status: ExitStatus,
        log: PathBuf,
        tail: String,
    },
    #[error("{name} was not ready after {} s; the end of {}:\n{tail}", waited.as_secs(), log.display())]
    NotReady {
        name: String,
        waited: Duration,
        log: PathBuf,
        tail: String,
    },
    #[error("{name} still runs after {} s", waited.as_secs())]
    StillRunning { name: String, waited: Duration },
    #[error("cannot wait for {name}: {source}")]
    Wait { name: String, source: io::Error },
}

/// One server process, started and ended any number of times.
#[derive(Debug)]
pub struct ServerProcess {
    name: String,
    command: Command,
    log: PathBuf,
    stop_signal: Signal,
    abort_signal: Signal,
    running: Option<Group>,
}

impl ServerProcess {
    /// `command` runs with its output appended to `log`. SIGTERM asks it to stop.
    #[must_use]
    pub fn new(name: impl Into<String>, command: Command, log: PathBuf) -> Self {
        Self {
            name: name.into(),
            command,
            log,
            stop_signal: Signal::TERM,
            abort_signal: Signal::KILL,
            running: None,
        }
    }

    /// Other signals: `stop` asks for an orderly end, `abort` ends the process and its children
    /// at once.
    #[must_use]
    pub fn with_signals(mut self, stop: Signal, abort: Signal) -> Self {
        (self.stop_signal, self.abort_signal) = (stop, abort);
        self
    }

    /// What is run: a change of it counts from the next start on.
    pub fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Starts the process and returns once `ready` says true.
    ///
    /// # Errors
    /// When it can't be started, ends, or isn't ready within `patience`; it is ended then.
    pub async fn start(
        &mut self,
        patience: Duration,
        ready: impl AsyncFn() -> bool,
    ) -> Result<(), ProcessError> {
        self.stop().await?;
        self.running = Some(self.spawn()?);
        let started = Instant::now();
        loop {
            let ready = ready().await;
            if let Some(status) = self.exit_status()? {
                self.end_now();
                return Err(ProcessError::EndedEarly {
                    name: self.name.clone(),
                    status,
                    tail: tail(&self.log),
                    log: self.log.clone(),
                });
            }
            if ready {
                return Ok(());
            }
            if started.elapsed() >= patience {
                self.end_now();
                return Err(ProcessError::NotReady {
                    name: self.name.clone(),
                    waited: patience,
                    tail: tail(&self.log),
                    log: self.log.clone(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks the process to stop, and kills it if it hasn't within 15 s. Nothing happens when it
    /// isn't running.
    ///
    /// # Errors
    /// When the process can't be waited for.
    pub async fn stop(&mut self) -> Result<(), ProcessError> {
        let Some(group) = &self.running else {
            return Ok(());
        };
        group.ask(self.stop_signal);
        let asked = Instant::now();
        while self.exit_status()?.is_none() && asked.elapsed() < GRACE {
            tokio::time::sleep(POLL).await;
        }
        self.end_now();
        Ok(())
    }

    /// `kill -9` of the process and its group, as a crash would.
    pub fn kill(&mut self) {
        if let Some(group) = self.running.take() {
            group.end(Signal::KILL, ABORT_GRACE);
        }
    }

    /// Sends a signal to the process, and not to its children.
    pub fn signal(&self, signal: Signal) {
        if let Some(group) = &self.running {
            group.ask(signal);
        }
    }

    /// Waits until the process has ended on its own, or because of a [signal](Self::signal).
    ///
    /// # Errors
    /// When it still runs after `patience`, or can't be waited for.
    pub async fn ended(&mut self, patience: Duration) -> Result<ExitStatus, ProcessError> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            if asked.elapsed() >= patience {
                return Err(ProcessError::StillRunning {
                    name: self.name.clone(),
                    waited: patience,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(Group::id)
    }

    /// How the process ended, if it did so on its own.
    ///
    /// # Errors
    /// When the process can't be waited for.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>, ProcessError> {
        let status = self.running.as_mut().map_or(Ok(None), Group::exit_status);
        status.map_err(|source| ProcessError::Wait {
            name: self.name.clone(),
            source,
        })
    }

    /// Where the process writes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    fn spawn(&mut self) -> Result<Group, ProcessError> {
        let spawned = open_log(&self.log).and_then(|(out, err)| {
            self.command.stdout(out).stderr(err);
            Group::spawn(&mut self.command, self.abort_signal)
        });
        spawned.map_err(|source| ProcessError::Spawn {
            name: self.name.clone(),
            source,
        })
    }

    fn end_now(&mut self) {
        if let Some(group) = self.running.take() {
            group.end(self.abort_signal, ABORT_GRACE);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.end_now();
    }
}

fn open_log(log: &Path) -> io::Result<(File, File)> {
    let out = OpenOptions::new().create(true).append(true).open(log)?;
    let err = out.try_clone()?;
    Ok((out, err))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| format!("(unreadable: {error})"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
}

#[cfg(test)]
mod tests;
