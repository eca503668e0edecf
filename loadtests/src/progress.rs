//! One line on the terminal that keeps up with the run.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::recorder::Recorder;

/// A terminal's line is rewritten each second; a log gets a line every ten.
pub async fn show(recorder: Arc<Recorder>, duration: Duration, stopped: CancellationToken) {
    let terminal = stderr().is_terminal();
    let period = Duration::from_secs(if terminal { 1 } else { 10 });
    let start = Instant::now();
    while stopped
        .run_until_cancelled(tokio::time::sleep(period))
        .await
        .is_some()
    {
        let line = line(&recorder, start.elapsed(), duration);
        // A closed terminal must not end the run.
        let _ = if terminal {
            write!(stderr(), "\r\x1b[2K{line}")
        } else {
            writeln!(stderr(), "{line}")
        };
    }
    if terminal {
        let _ = write!(stderr(), "\r\x1b[2K");
    }
}

fn line(recorder: &Recorder, elapsed: Duration, duration: Duration) -> String {
    let now = recorder.progress();
    format!(
        "{:>4.0} s of {:.0} s  sent {}  answered {}  in flight {}  failed {}  late {}  p50 {:.1} ms  p99 {:.1} ms",
        elapsed.as_secs_f64(),
        duration.as_secs_f64(),
        now.started,
        now.answered,
        now.started.saturating_sub(now.answered),
        now.failed,
        now.late,
        now.p50_ms,
        now.p99_ms,
    )
}
