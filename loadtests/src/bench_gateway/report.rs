use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Figures, Measured, Refused, SoakPoint};
use crate::bench::{Aim, Bound, median};
use crate::machine::Machine;

/// Raised when a field changes its meaning or goes away.
const FORMAT: u32 = 1;

/// What was measured, on what, and whether it is what we aim at.
#[derive(Debug, Serialize)]
pub struct Report {
    format: u32,
    pub commit: String,
    pub started_at: DateTime<Utc>,
    pub machine: Machine,
    pub connections: usize,
    pub phase_s: f64,
    pub aims: Vec<Aim>,
    /// Medians over the rounds.
    pub figures: Vec<Measured>,
    pub rounds: Vec<Vec<Measured>>,
    pub attacks: Vec<Refused>,
    pub soak: Vec<SoakPoint>,
}

impl Report {
    #[must_use]
    pub fn new(
        commit: String,
        started_at: DateTime<Utc>,
        connections: usize,
        phase_s: f64,
        measured: Figures,
    ) -> Self {
        let Figures {
            rounds,
            attacks,
            soak,
        } = measured;
        Self {
            format: FORMAT,
            commit,
            started_at,
            machine: Machine::read(),
            connections,
            phase_s,
            aims: aims(&rounds, &attacks),
            figures: figures(&rounds),
            rounds,
            attacks,
            soak,
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
            "{:<32} {:>11} {:>10} {:>9} {:>9}\n",
            "case", "requests/s", "CPU us", "p50 ms", "p99 ms"
        );
        for figure in &self.figures {
            let _ = writeln!(
                text,
                "{:<32} {:>11.0} {:>10.1} {:>9.2} {:>9.2}",
                figure.case,
                figure.requests_per_second,
                figure.cpu_us,
                figure.p50_ms,
                figure.p99_ms
            );
        }
        for refused in &self.attacks {
            let Refused {
                attack,
                status,
                code,
                cpu_ms,
            } = refused;
            let _ = writeln!(text, "{cpu_ms:>6.1} ms CPU  {attack}: {status} {code}");
        }
        for point in &self.soak {
            let resident = point.resident_bytes / 1024;
            let _ = writeln!(text, "{:>9} requests: {resident} KiB", point.requests);
        }
        text + &self.aims.iter().map(Aim::line).collect::<String>()
    }
}

fn figures(rounds: &[Vec<Measured>]) -> Vec<Measured> {
    let cases = rounds.first().into_iter().flatten().map(|first| first.case);
    cases
        .map(|case| {
            let over = |figure: fn(&Measured) -> f64| {
                median(
                    rounds
                        .iter()
                        .filter_map(|round| find(round, case))
                        .map(figure),
                )
            };
            Measured {
                case,
                requests_per_second: over(|measured| measured.requests_per_second),
                cpu_us: over(|measured| measured.cpu_us),
                p50_ms: over(|measured| measured.p50_ms),
                p99_ms: over(|measured| measured.p99_ms),
            }
        })
        .collect()
}

fn find<'r>(round: &'r [Measured], case: &str) -> Option<&'r Measured> {
    round.iter().find(|measured| measured.case == case)
}

fn aims(rounds: &[Vec<Measured>], attacks: &[Refused]) -> Vec<Aim> {
    let ratios = |one: &str, other: &str, figure: fn(&Measured) -> f64| -> Vec<f64> {
        let of_round =
            |round: &Vec<Measured>| Some(figure(find(round, one)?) / figure(find(round, other)?));
        rounds.iter().filter_map(of_round).collect()
    };
    let rate = |measured: &Measured| measured.requests_per_second;
    let cpu = |measured: &Measured| measured.cpu_us;
    vec![
        Aim::new(
            "one order: requests/s of (a) to (b)",
            Bound::AtLeast(1.2),
            ratios("order: (a) gateway", "order: (b) bare GraphQL", rate).into_iter(),
        ),
        Aim::new(
            "a cached product by REST: requests/s of (a) to (c)",
            Bound::AtLeast(0.5),
            ratios("product: (a) gateway, REST", "product: (c) bare JSON", rate).into_iter(),
        ),
        Aim::new(
            "a cached product by GraphQL: requests/s of (a) to (c)",
            Bound::AtLeast(0.5),
            ratios(
                "product: (a) gateway, GraphQL",
                "product: (c) bare JSON",
                rate,
            )
            .into_iter(),
        ),
        Aim::new(
            "a page of 20 orders: CPU of (a) to (b)",
            Bound::AtMost(0.5),
            ratios("page: (a) gateway", "page: (b) bare GraphQL", cpu).into_iter(),
        ),
        Aim::new(
            "the dearest refusal of a hostile document, in ms of CPU",
            Bound::AtMost(50.0),
            attacks
                .iter()
                .map(|refused| refused.cpu_ms)
                .max_by(f64::total_cmp)
                .into_iter(),
        ),
    ]
}
