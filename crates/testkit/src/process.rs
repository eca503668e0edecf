//! A server process that can't outlive whoever started it.
//!
//! It runs in a process group of its own, so that a Ctrl-C in the terminal reaches only us and we
//! end it in order. Should we be killed without a chance to do so (`kill -9`, an abort), its
//! guard does: a shell that waits for the end of a pipe that only we hold open.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

/// How often a starting or ending process is looked at.
const POLL: Duration = Duration::from_millis(10);
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
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    group: Pid,
    guard: Guard,
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
                self.running = None;
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
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let name = &self.name;
        // A failed signal means that it has ended, which the wait finds out.
        let _ = kill_process(running.group, self.stop_signal);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            match running.child.try_wait() {
                Ok(Some(_)) => break,
                Ok(None) => tokio::time::sleep(POLL).await,
                Err(source) => {
                    return Err(ProcessError::Wait {
                        name: name.clone(),
                        source,
                    });
                }
            }
        }
        self.end_now();
        Ok(())
    }

    /// `kill -9` of the process and its group, as a crash would.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.end(Signal::KILL);
        }
    }

    /// The process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// How the process ended, if it has.
    ///
    /// # Errors
    /// When the process can't be waited for.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>, ProcessError> {
        let Some(running) = &mut self.running else {
            return Ok(None);
        };
        let name = &self.name;
        let status = running.child.try_wait();
        status.map_err(|source| ProcessError::Wait {
            name: name.clone(),
            source,
        })
    }

    /// Where the process writes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    fn spawn(&mut self) -> Result<Running, ProcessError> {
        let spawned = open_log(&self.log).and_then(|(out, err)| {
            let child = self
                .command
                .stdin(Stdio::null())
                .stdout(out)
                .stderr(err)
                .process_group(0)
                .spawn()?;
            let group = Pid::from_child(&child);
            let guard = Guard::over(group, self.abort_signal);
            Ok((child, group, guard))
        });
        let failed = |source| ProcessError::Spawn {
            name: self.name.clone(),
            source,
        };
        let (mut child, group, guard) = spawned.map_err(failed)?;
        match guard {
            Ok(guard) => Ok(Running {
                child,
                group,
                guard,
            }),
            Err(source) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failed(source))
            }
        }
    }

    fn end_now(&mut self) {
        if let Some(running) = self.running.take() {
            running.end(self.abort_signal);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.end_now();
    }
}

impl Running {
    /// Returns when the process is gone. Blocks, for a few milliseconds as a rule.
    fn end(mut self, signal: Signal) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = kill_process(self.group, signal);
        }
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < ABORT_GRACE {
            std::thread::sleep(POLL);
        }
        // What is left of the group: its leader, when the signal was not enough, or children.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        self.guard.dismiss();
    }
}

/// Ends a process group when our end of its standard input closes, which the kernel does for us
/// however we die.
#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    const SCRIPT: &str = r#"while read -r _; do :; done
kill "-$2" "$1"
for _ in 1 2 3 4 5; do kill -0 "$1" || break; sleep 1; done
kill -9 "-$1""#;

    /// Watches over the process group `group`, of which a process with that id is the leader.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn over(group: Pid, signal: Signal) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", Self::SCRIPT, "guard"]);
        command.args([
            group.as_raw_nonzero().to_string(),
            signal.as_raw().to_string(),
        ]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.process_group(0).spawn().map(Self)
    }

    /// The group has ended: the guard is no longer needed.
    pub fn dismiss(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
