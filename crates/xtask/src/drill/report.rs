//! One line a drill, a table at the end, and target/drills.json.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::command::Failure;

/// How a drill went.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub drill: &'static str,
    pub mode: &'static str,
    /// What was done to the system.
    pub fault: String,
    pub seed: u64,
    /// Accepted orders.
    pub orders: usize,
    /// From the end of the fault to the end of every order and a green audit. None where there is
    /// no recovery to wait for: in a control, and when it failed.
    pub recovery_seconds: Option<f64>,
    pub seconds: f64,
    pub passed: bool,
    /// What is wrong, if anything.
    pub failure: Option<String>,
}

impl Outcome {
    /// The line.
    pub fn line(&self) -> String {
        let verdict = if self.passed { "ok" } else { "FAILED" };
        let recovery = self.recovery_seconds.map_or_else(
            || format!("{:>12}", "-"),
            |seconds| format!("{seconds:>10.1} s"),
        );
        let Self {
            drill,
            mode,
            fault,
            seed,
            orders,
            ..
        } = self;
        format!(
            "{verdict:<6} {drill:<26} {mode:<11} seed {seed:<4} {orders:>3} orders {recovery}  {fault}"
        )
    }
}

/// All lines, and what they say together.
pub fn table(outcomes: &[Outcome], took: Duration) -> String {
    let mut table = format!(
        "{:<6} {:<26} {:<11} {:<9} {:>10} {:>12}  fault\n",
        "", "drill", "mode", "", "", "recovery"
    );
    for outcome in outcomes {
        table += &outcome.line();
        table += "\n";
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
    let (all, seconds) = (outcomes.len(), took.as_secs());
    table + &format!("{passed} of {all} drills passed, in {seconds} s")
}

/// Writes them as JSON.
///
/// # Errors
/// When the file can't be written.
pub fn write(outcomes: &[Outcome], file: &Path) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(outcomes).map_err(std::io::Error::other)?;
    std::fs::write(file, json + "\n").map_err(|source| Failure::File {
        path: file.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_drill_stands_out_and_is_counted() {
        let ok = Outcome {
            drill: "worker-killed",
            mode: "distributed",
            fault: "kill -9 of a worker".to_owned(),
            seed: 7,
            orders: 40,
            recovery_seconds: Some(3.21),
            seconds: 9.0,
            passed: true,
            failure: None,
        };
        let failed = Outcome {
            recovery_seconds: None,
            passed: false,
            ..ok.clone()
        };
        let table = table(&[ok, failed], Duration::from_secs(18));
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines[1],
            "ok     worker-killed              distributed seed 7     40 orders        3.2 s  \
             kill -9 of a worker"
        );
        assert!(lines[2].starts_with("FAILED worker-killed"));
        assert_eq!(lines[3], "1 of 2 drills passed, in 18 s");
    }
}
