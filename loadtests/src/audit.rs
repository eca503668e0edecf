//! The auditor's word on the run: a command, run after the last order has settled.

use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(120);
const MAX_OUTPUT_CHARS: usize = 20_000;

#[derive(Clone, Debug, Serialize)]
pub struct AuditOutcome {
    /// The command ended with status 0.
    pub green: bool,
    /// How the command ended.
    pub exit: String,
    /// What it printed, standard output before standard error.
    pub output: String,
}

impl AuditOutcome {
    /// The last line that the auditor printed, or how it ended.
    #[must_use]
    pub fn status_line(&self) -> String {
        let last = self.output.lines().rfind(|line| !line.trim().is_empty());
        last.unwrap_or(&self.exit).trim().to_owned()
    }
}

/// Runs `command` in a shell. What cannot be run, or does not end in time, is not green.
pub async fn audit(command: &str) -> AuditOutcome {
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(LIMIT, output).await {
        Ok(Ok(output)) => {
            let printed = [output.stdout, output.stderr].concat();
            AuditOutcome {
                green: output.status.success(),
                exit: output.status.to_string(),
                output: String::from_utf8_lossy(&printed)
                    .chars()
                    .take(MAX_OUTPUT_CHARS)
                    .collect(),
            }
        }
        Ok(Err(error)) => not_run(format!("could not be started: {error}")),
        Err(_) => not_run(format!("did not end within {} s", LIMIT.as_secs())),
    }
}

fn not_run(exit: String) -> AuditOutcome {
    AuditOutcome {
        green: false,
        exit,
        output: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_exit_status_decides() {
        let green = audit("echo 'stock constant: ok'; echo '6 of 6 invariants hold'").await;
        assert!(green.green);
        assert_eq!(green.status_line(), "6 of 6 invariants hold");
        let red = audit("echo '1 order lost' >&2; exit 1").await;
        assert!(!red.green);
        assert_eq!(red.status_line(), "1 order lost");
        assert!(!audit("exit 3").await.green);
    }
}
