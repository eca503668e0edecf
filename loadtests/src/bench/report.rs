use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::rate::median;
use super::{BenchOptions, FLOOD, HashParams, PROBES_PER_SECOND, Round};
use crate::machine::Machine;
use crate::run::Mode;

/// Raised when a field changes its meaning or goes away.
const FORMAT: u32 = 1;

/// What was measured, on what, and whether it is what we aim at.
#[derive(Debug, Serialize)]
pub struct Report {
    format: u32,
    pub commit: String,
    pub started_at: DateTime<Utc>,
    pub machine: Machine,
    pub settings: Settings,
    pub aims: Vec<Aim>,
    /// Medians over the rounds.
    pub figures: Figures,
    pub rounds: Vec<Round>,
}

#[derive(Debug, Serialize)]
pub struct Settings {
    pub mode: Mode,
    pub hashing: HashParams,
    pub phase_s: f64,
    pub probes_per_second: f64,
    /// Log-ins asked for in a flood, for each that bare hashing could do.
    pub flood: f64,
}

#[derive(Debug, Serialize)]
pub struct Figures {
    pub hashes_per_second: f64,
    pub log_ins_per_second: f64,
    pub refreshes_per_second: f64,
    pub refresh_p99_ms: Compared,
    pub health_p99_ms: Compared,
}

#[derive(Debug, Serialize)]
pub struct Compared {
    pub quiet: f64,
    pub flood: f64,
}

/// A ratio that we want to keep.
#[derive(Debug, Serialize)]
pub struct Aim {
    pub name: &'static str,
    pub bound: Bound,
    /// The median of the rounds' ratios.
    pub measured: f64,
    pub is_met: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    pub(crate) fn new(name: &'static str, bound: Bound, ratios: impl Iterator<Item = f64>) -> Self {
        let measured = median(ratios);
        let is_met = match bound {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        };
        Self {
            name,
            bound,
            measured,
            is_met,
        }
    }

    /// For a terminal.
    pub(crate) fn line(&self) -> String {
        let verdict = if self.is_met { "met" } else { "MISSED" };
        let bound = match self.bound {
            Bound::AtLeast(least) => format!("at least {least}"),
            Bound::AtMost(most) => format!("at most {most}"),
        };
        format!(
            "{verdict:<7} {:>6.3}  {} (aim: {bound})\n",
            self.measured, self.name
        )
    }
}

impl Report {
    #[must_use]
    pub fn new(
        options: &BenchOptions,
        mode: Mode,
        commit: String,
        started_at: DateTime<Utc>,
        rounds: Vec<Round>,
    ) -> Self {
        let over = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure));
        let figures = Figures {
            hashes_per_second: over(|round| round.hash_rate),
            log_ins_per_second: over(|round| round.log_in_rate),
            refreshes_per_second: over(|round| round.refresh_rate),
            refresh_p99_ms: Compared {
                quiet: over(|round| round.quiet.refresh_p99_ms),
                flood: over(|round| round.flood.refresh_p99_ms),
            },
            health_p99_ms: Compared {
                quiet: over(|round| round.quiet.health_p99_ms),
                flood: over(|round| round.flood.health_p99_ms),
            },
        };
        Self {
            format: FORMAT,
            commit,
            started_at,
            machine: Machine::read(),
            settings: Settings {
                mode,
                hashing: options.hashing,
                phase_s: options.phase.as_secs_f64(),
                probes_per_second: PROBES_PER_SECOND,
                flood: FLOOD,
            },
            aims: aims(&rounds),
            figures,
            rounds,
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

    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:>6} {:>9} {:>10} {:>11} {:>25} {:>25}\n",
            "round", "hashes/s", "log-ins/s", "refreshes/s", "refresh p99 quiet/flood", "health"
        );
        for (number, round) in self.rounds.iter().enumerate() {
            let Round { quiet, flood, .. } = round;
            let _ = writeln!(
                text,
                "{:>6} {:>9.2} {:>10.2} {:>11.1} {:>14.2} {:>7.2} ms {:>14.2} {:>7.2} ms",
                number + 1,
                round.hash_rate,
                round.log_in_rate,
                round.refresh_rate,
                quiet.refresh_p99_ms,
                flood.refresh_p99_ms,
                quiet.health_p99_ms,
                flood.health_p99_ms,
            );
        }
        text + &self.aims.iter().map(Aim::line).collect::<String>()
    }
}

fn aims(rounds: &[Round]) -> Vec<Aim> {
    let ratios = |ratio: fn(&Round) -> f64| rounds.iter().map(ratio);
    vec![
        Aim::new(
            "log-ins for each bare hash",
            Bound::AtLeast(0.95),
            ratios(|round| round.log_in_rate / round.hash_rate),
        ),
        Aim::new(
            "p99 of a refresh under a flood of log-ins, to quiet",
            Bound::AtMost(2.0),
            ratios(|round| round.flood.refresh_p99_ms / round.quiet.refresh_p99_ms),
        ),
        Aim::new(
            "p99 of /health/live under a flood of log-ins, to quiet",
            Bound::AtMost(2.0),
            ratios(|round| round.flood.health_p99_ms / round.quiet.health_p99_ms),
        ),
    ]
}
