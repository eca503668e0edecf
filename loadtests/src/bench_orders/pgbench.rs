//! The yardstick: what the same PostgreSQL commits when nobody else asks it anything.

use std::process::Stdio;

use tokio::process::Command;

use super::{BenchOrdersError, Options, Pgbench};

/// As many clients as orders are placed at once, on as many threads as a small machine has cores.
pub(super) async fn tps(pgbench: &Pgbench, options: &Options) -> Result<f64, BenchOrdersError> {
    let output = Command::new(&pgbench.program)
        .arg("--skip-some-updates")
        .arg("--no-vacuum")
        .args(["--client", &options.placers.to_string()])
        .args(["--jobs", "2"])
        .args(["--time", &options.phase.as_secs().max(1).to_string()])
        .arg(&pgbench.url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(BenchOrdersError::Pgbench)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    found(&printed).ok_or_else(|| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        BenchOrdersError::NoTps(complaint.trim().to_owned())
    })
}

/// The line `tps = 1234.5 (without initial connection time)`.
fn found(printed: &str) -> Option<f64> {
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn the_rate_is_found_in_what_pgbench_prints() {
        let printed = "latency average = 2.1 ms\ntps = 1904.3 (without initial connection time)\n";
        assert_eq!(found(printed), Some(1_904.3));
        assert_eq!(found("no such line"), None);
    }
}
