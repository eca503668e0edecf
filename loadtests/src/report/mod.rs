//! What a run leaves behind: one [`Report`], rendered as JSON, as a page and as terminal text.

pub mod charts;
pub mod html;
pub mod json;
pub mod svg;
pub mod text;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::audit::AuditOutcome;
use crate::generator::LATE_AFTER;
use crate::machine::Machine;
use crate::measurements::Measurements;
use crate::operations::Operation;
use crate::processes::ProcessSeries;
use crate::run::{Mode, RunOptions};
use crate::settle::OrderOutcomes;
use crate::shop::audience::AudienceFigures;
use crate::thresholds::{ThresholdResult, Verdict};

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub verdict: Verdict,
    pub thresholds: Vec<ThresholdResult>,
    pub run: RunFacts,
    pub machine: Machine,
    pub measurements: Measurements,
    pub orders: OrderOutcomes,
    pub audience: Option<AudienceFigures>,
    pub processes: Vec<ProcessSeries>,
    pub audit: Option<AuditOutcome>,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    pub profile: &'static str,
    pub summary: &'static str,
    pub mode: Mode,
    pub commit: String,
    pub seed: u64,
    pub started_at: DateTime<Utc>,
    pub peak_rate: f64,
    pub max_in_flight: usize,
    pub auth_url: String,
    pub gateway_url: String,
    pub mix: Vec<MixShare>,
    /// What a reader must know to read the figures rightly.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MixShare {
    pub operation: &'static str,
    pub percent: f64,
}

impl RunFacts {
    #[must_use]
    pub fn new(options: &RunOptions, started_at: DateTime<Utc>) -> Self {
        let profile = &options.profile;
        let share = |(operation, _): &(Operation, u32)| MixShare {
            operation: operation.name(),
            percent: profile.share_of(|other| other == *operation) * 100.0,
        };
        Self {
            profile: profile.name,
            summary: profile.summary,
            mode: options.mode,
            commit: options.commit.clone(),
            seed: options.seed,
            started_at,
            peak_rate: options.schedule.peak_rate(),
            max_in_flight: options.max_in_flight,
            auth_url: options.targets.auth.to_string(),
            gateway_url: options.targets.gateway.to_string(),
            mix: profile.mix.iter().map(share).collect(),
            notes: notes(options),
        }
    }
}

impl Report {
    /// Without extension: the same profile and mode overwrite each other.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.run.profile, self.run.mode.name())
    }
}

fn notes(options: &RunOptions) -> Vec<String> {
    let mut notes = vec![
        format!(
            "Open schedule: request i is due at t0 + i / rate, and its latency counts from that \
             moment, also when the generator or the server was behind. A request that starts more \
             than {} ms late is counted as late; above 1 % the run is void.",
            LATE_AFTER.as_millis()
        ),
        "Generator and system share this machine: its processor time is listed as generator."
            .to_owned(),
    ];
    let log_ins = options
        .profile
        .share_of(|operation| operation == Operation::LogIn);
    if log_ins > 0.0 {
        notes.push(format!(
            "Log-ins are few on purpose: {:.2} a second at the peak. Each costs the server an \
             Argon2id hash, which bounds them to about 30 a second and core whatever the rest of \
             the system can do; more of them would measure the hash.",
            log_ins * options.schedule.peak_rate()
        ));
    }
    if options.profile.audience.is_some() {
        notes.push(
            "News: from the moment that the database has for an order's state until a subscriber \
             has the message. States that follow each other faster than a subscriber is served come \
             down to the newest. Memory: what the gateway's process grew by from before the first \
             connection until the last subscription stood, without what the kernel keeps for a \
             socket."
                .to_owned(),
        );
    }
    notes
}

impl Mode {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Distributed => "distributed",
        }
    }
}
