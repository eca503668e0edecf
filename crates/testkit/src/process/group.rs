//! A child process with everything that it starts.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How often a starting or ending process is looked at.
pub const POLL: Duration = Duration::from_millis(10);

/// A child process that leads a process group of its own, and the guard over it.
#[derive(Debug)]
pub struct Group {
    leader: Child,
    id: Pid,
    guard: Guard,
}

impl Group {
    /// Starts `command` without standard input. Should we die, `abort` ends the group.
    pub fn spawn(command: &mut Command, abort: Signal) -> io::Result<Self> {
        let mut leader = command.stdin(Stdio::null()).process_group(0).spawn()?;
        let id = Pid::from_child(&leader);
        match Guard::over(id, abort) {
            Ok(guard) => Ok(Self { leader, id, guard }),
            Err(error) => {
                leader.kill()?;
                leader.wait()?;
                Err(error)
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.leader.id()
    }

    /// How the leader ended, if it has.
    pub fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.leader.try_wait()
    }

    /// Sends `signal` to the leader alone.
    pub fn ask(&self, signal: Signal) {
        // It fails when the leader has ended, which whoever waits finds out.
        let _ = kill_process(self.id, signal);
    }

    /// Sends `signal` to the whole group, then kills what is left of it after `grace`. Blocks
    /// until the leader is gone.
    pub fn end(mut self, signal: Signal, grace: Duration) {
        let asked = Instant::now();
        if matches!(self.leader.try_wait(), Ok(None)) {
            let _ = kill_process_group(self.id, signal);
        }
        while matches!(self.leader.try_wait(), Ok(None)) && asked.elapsed() < grace {
            std::thread::sleep(POLL);
        }
        let _ = kill_process_group(self.id, Signal::KILL);
        let _ = self.leader.wait();
        self.guard.dismiss();
    }
}

/// A shell that ends the process group when our end of its standard input closes, which the
/// kernel does for us however we die.
#[derive(Debug)]
struct Guard(Child);

impl Guard {
    const SCRIPT: &str = r#"while read -r _; do :; done
kill "-$2" "-$1"
for _ in 1 2 3 4 5; do kill -0 "$1" || break; sleep 1; done
kill -9 "-$1""#;

    fn over(group: Pid, signal: Signal) -> io::Result<Self> {
        let arguments = [group.as_raw_pid(), signal.as_raw()].map(|number| number.to_string());
        let mut command = Command::new("sh");
        command.args(["-c", Self::SCRIPT, "guard"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command.stderr(Stdio::null()).process_group(0);
        command.spawn().map(Self)
    }

    /// The group has ended: the guard is no longer needed.
    fn dismiss(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_ends_a_server_when_its_owner_dies() {
        let mut command = Command::new("sleep");
        let mut group = Group::spawn(command.arg("1000"), Signal::TERM).unwrap();
        drop(group.guard.0.stdin.take()); // what the kernel does when the owner is gone
        group.leader.wait().unwrap();
        group.guard.0.wait().unwrap();
    }
}
