//! CPU time, memory, descriptors and threads of the processes under test, over the run.

mod proc_fs;

use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use proc_fs::ProcessTree;

pub(crate) use proc_fs::usage_of;

/// A process to watch, with everything that it started: `name=pid` on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessTarget {
    pub name: String,
    pub pid: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("expected name=pid, for example gateway=4711")]
pub struct NotATarget;

impl FromStr for ProcessTarget {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        let (name, pid) = text.split_once('=').ok_or(NotATarget)?;
        let pid = pid.trim().parse().map_err(|_| NotATarget)?;
        match name.trim() {
            "" => Err(NotATarget),
            name => Ok(Self {
                name: name.to_owned(),
                pid,
            }),
        }
    }
}

impl ProcessTarget {
    /// The generator itself: on the same machine it takes part of what the system could have used.
    #[must_use]
    pub fn generator() -> Self {
        Self {
            name: "generator".to_owned(),
            pid: std::process::id(),
        }
    }
}

impl ProcessTarget {
    /// What it and everything that it started use at this moment; none when it has ended.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        let usage = ProcessTree::read().usage(self.pid).ok()?;
        Some(usage.resident_bytes)
    }

    /// Processor time that it and everything that it started have used, in seconds.
    #[must_use]
    pub fn cpu_seconds(&self) -> Option<f64> {
        let usage = ProcessTree::read().usage(self.pid).ok()?;
        Some(usage.cpu_s)
    }
}

/// One process over the time of the run.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessSeries {
    pub name: String,
    pub pid: u32,
    pub points: Vec<ProcessPoint>,
    /// Seconds into the run when it could no longer be read: it had ended.
    pub gone_at_s: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ProcessPoint {
    pub at_s: f64,
    /// Percent of one core, since the point before.
    pub cpu_percent: f64,
    pub resident_bytes: u64,
    pub descriptors: u64,
    pub threads: u64,
}

/// Reads every target each `period` until `stopped`. Blocks: needs a thread of its own, so that
/// the some hundred files of a reading delay no request.
#[must_use]
pub fn watch(
    targets: Vec<ProcessTarget>,
    period: Duration,
    stopped: &CancellationToken,
) -> Vec<ProcessSeries> {
    const LOOK_UP: Duration = Duration::from_millis(50);
    let start = Instant::now();
    let tree = ProcessTree::read();
    let mut watched: Vec<Watched> = targets
        .into_iter()
        .map(|target| Watched::begin(target, &tree))
        .collect();
    let mut next = period;
    while !stopped.is_cancelled() {
        std::thread::sleep(LOOK_UP);
        if start.elapsed() >= next {
            sample(&mut watched, start.elapsed());
            next += period;
        }
    }
    sample(&mut watched, start.elapsed());
    watched.into_iter().map(|process| process.series).collect()
}

fn sample(watched: &mut [Watched], at: Duration) {
    let tree = ProcessTree::read();
    for process in watched {
        process.sample(at, &tree);
    }
}

struct Watched {
    series: ProcessSeries,
    /// When it was last read, and its processor time then.
    last: Option<(Duration, f64)>,
}

impl Watched {
    fn begin(target: ProcessTarget, tree: &ProcessTree) -> Self {
        let last = tree
            .usage(target.pid)
            .ok()
            .map(|usage| (Duration::ZERO, usage.cpu_s));
        let gone_at_s = last.is_none().then_some(0.0);
        let ProcessTarget { name, pid } = target;
        Self {
            series: ProcessSeries {
                name,
                pid,
                points: Vec::new(),
                gone_at_s,
            },
            last,
        }
    }

    fn sample(&mut self, at: Duration, tree: &ProcessTree) {
        let Some((last_at, last_cpu_s)) = self.last else {
            return;
        };
        let Ok(usage) = tree.usage(self.series.pid) else {
            self.series.gone_at_s = Some(at.as_secs_f64());
            self.last = None;
            return;
        };
        let elapsed = (at - last_at).as_secs_f64();
        // CPU time comes in ticks: over a shorter span it would be noise.
        if elapsed < 0.1 {
            return;
        }
        // The time of a descendant goes with it when it ends.
        let used = (usage.cpu_s - last_cpu_s).max(0.0);
        self.series.points.push(ProcessPoint {
            at_s: at.as_secs_f64(),
            cpu_percent: used / elapsed * 100.0,
            resident_bytes: usage.resident_bytes,
            descriptors: usage.descriptors,
            threads: usage.threads,
        });
        self.last = Some((at, usage.cpu_s));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_name_equals_pid() {
        let target = "gateway=4711".parse::<ProcessTarget>().unwrap();
        assert_eq!(
            target,
            ProcessTarget {
                name: "gateway".to_owned(),
                pid: 4711
            }
        );
        for bad in ["gateway", "=1", "gateway=", "gateway=x", "gateway=-1"] {
            assert!(bad.parse::<ProcessTarget>().is_err(), "{bad}");
        }
    }

    #[test]
    fn this_process_can_be_watched() {
        let tree = ProcessTree::read();
        let mut watched = Watched::begin(ProcessTarget::generator(), &tree);
        watched.sample(Duration::from_secs(1), &tree);
        watched.sample(Duration::from_millis(1010), &tree);
        let [point] = watched.series.points.as_slice() else {
            panic!("one point, not too close")
        };
        assert!(point.resident_bytes > 0 && point.descriptors > 0 && point.threads > 0);
        assert!(watched.series.gone_at_s.is_none());
    }

    #[test]
    fn a_missing_process_is_reported() {
        let nobody = ProcessTarget {
            name: "nobody".to_owned(),
            pid: u32::MAX - 1,
        };
        let watched = Watched::begin(nobody, &ProcessTree::read());
        assert_eq!(watched.series.gone_at_s, Some(0.0));
    }
}
