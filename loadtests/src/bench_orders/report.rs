use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Backlog, Figures, Options, Round};
use crate::bench::{Aim, Bound, median};
use crate::machine::Machine;
use crate::run::Mode;

/// Raised when a field changes its meaning or goes away.
const FORMAT: u32 = 1;

const MIB: f64 = 1024.0 * 1024.0;

/// What was measured, on what, and whether it is what we aim at.
#[derive(Debug, Serialize)]
pub struct Report {
    format: u32,
    pub commit: String,
    pub started_at: DateTime<Utc>,
    pub machine: Machine,
    pub mode: Mode,
    pub phase_s: f64,
    pub open: u64,
    pub placers: usize,
    pub aims: Vec<Aim>,
    pub figures: Figures,
}

impl Report {
    #[must_use]
    pub fn new(
        options: &Options,
        mode: Mode,
        commit: String,
        started_at: DateTime<Utc>,
        figures: Figures,
    ) -> Self {
        Self {
            format: FORMAT,
            commit,
            started_at,
            machine: Machine::read(),
            mode,
            phase_s: options.phase.as_secs_f64(),
            open: options.open,
            placers: options.placers,
            aims: aims(&figures.rounds),
            figures,
        }
    }

    #[must_use]
    pub fn is_as_aimed(&self) -> bool {
        self.aims.iter().all(|aim| aim.is_met)
    }

    /// # Errors
    /// Never in practice: the report holds no map with keys that JSON cannot express.
    pub fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// For a terminal: medians over the rounds.
    #[must_use]
    pub fn text(&self) -> String {
        let over = |figure: fn(&Round) -> f64| median(self.figures.rounds.iter().map(figure));
        let mut text = format!(
            "{}: {:.1} orders/s (pgbench {:.0} tps), placed to confirmed p50 {:.0} ms, p99 {:.0} ms at {:.1} orders/s\n",
            self.mode.name(),
            over(|round| round.throughput.orders_per_second),
            over(|round| round.pgbench_tps.unwrap_or_default()),
            over(|round| round.latency.p50_ms),
            over(|round| round.latency.p99_ms),
            over(|round| round.latency.rate),
        );
        for (name, cpu_us) in costs(&self.figures.rounds) {
            let _ = writeln!(text, "{cpu_us:>9.0} us of CPU an order: {name}");
        }
        if let Some(backlog) = &self.figures.backlog {
            text += &of_backlog(backlog);
        }
        let _ = writeln!(text, "audit: {}", self.figures.audit.status_line());
        text + &self.aims.iter().map(Aim::line).collect::<String>()
    }
}

fn of_backlog(backlog: &Backlog) -> String {
    let mut text = format!(
        "{} orders waited; worked off in {:.0} s, {:.1} a second\n",
        backlog.orders, backlog.seconds, backlog.orders_per_second
    );
    for memory in &backlog.memory {
        let mib = |bytes: u64| bytes as f64 / MIB;
        let _ = writeln!(
            text,
            "{:>9.1} MiB before, {:.1} when they waited, {:.1} at most, {:.1} after: {}",
            mib(memory.before),
            mib(memory.full),
            mib(memory.peak),
            mib(memory.after),
            memory.process,
        );
    }
    text
}

/// The median of each process.
fn costs(rounds: &[Round]) -> Vec<(String, f64)> {
    let processes = rounds
        .first()
        .into_iter()
        .flat_map(|first| &first.throughput.costs);
    processes
        .enumerate()
        .map(|(place, first)| {
            let of_round =
                |round: &Round| Some(round.throughput.costs.get(place)?.cpu_us_per_order);
            (
                first.process.clone(),
                median(rounds.iter().filter_map(of_round)),
            )
        })
        .collect()
}

fn aims(rounds: &[Round]) -> Vec<Aim> {
    let ratio = |round: &Round| Some(round.throughput.orders_per_second / round.pgbench_tps?);
    let ratios: Vec<f64> = rounds.iter().filter_map(ratio).collect();
    if ratios.is_empty() {
        return Vec::new();
    }
    vec![Aim::new(
        "confirmed orders for each transaction of pgbench -N",
        Bound::AtLeast(0.25),
        ratios.into_iter(),
    )]
}
