//! The profiles: each a table of stages, mix and thresholds. A new one is one more constant.

use std::time::Duration;

use rand::RngExt;

use crate::latency::Percentile;
use crate::operations::Operation;
use crate::schedule::Stage;
use crate::shop::audience::AudienceSize;
use crate::thresholds::Threshold;

/// A named kind of run.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    pub name: &'static str,
    pub summary: &'static str,
    pub stages: &'static [Stage],
    pub mix: Mix,
    /// Who listens meanwhile.
    pub audience: Option<AudienceSize>,
    pub thresholds: &'static [Threshold],
}

/// Operations with their weights. Weights are relative; ours add up to 100, so that they read as
/// percentages.
pub type Mix = &'static [(Operation, u32)];

/// Every profile that `loadtests run` knows.
pub const PROFILES: &[Profile] = &[SMOKE, BASELINE, PIPELINE, SUBSCRIBERS];

/// What shoppers do. Mostly they look. Log-ins are few because each costs the server an Argon2id
/// hash on purpose: some 30 a second and core is the most that any implementation can do.
const SHOP: Mix = &[
    (Operation::BrowseGraphql, 18),
    (Operation::BrowseRest, 12),
    (Operation::SearchGraphql, 8),
    (Operation::SearchRest, 6),
    (Operation::ProductGraphql, 18),
    (Operation::ProductRest, 14),
    (Operation::OrderListGraphql, 7),
    (Operation::OrderListRest, 4),
    (Operation::PlaceOrderGraphql, 6),
    (Operation::PlaceOrderRest, 4),
    (Operation::Refresh, 2),
    (Operation::LogIn, 1),
];

const SMOKE: Profile = Profile {
    name: "smoke",
    summary: "a short run for CI: does everything work, and quickly?",
    stages: &[Stage::new(10.0, Duration::from_secs(30))],
    mix: SHOP,
    audience: None,
    thresholds: &[
        Threshold::MeanBelow(Duration::from_millis(200)),
        Threshold::PercentileBelow(Percentile::P99, Duration::from_millis(100)),
        Threshold::ErrorShareAtMost(0.0),
        Threshold::EveryOrderConfirmed,
        Threshold::AuditGreen,
    ],
};

const BASELINE: Profile = Profile {
    name: "baseline",
    summary: "the nominal mix of a busy shop",
    stages: &[Stage::new(50.0, Duration::from_secs(60))],
    mix: SHOP,
    audience: None,
    thresholds: &[
        Threshold::MeanBelow(Duration::from_millis(200)),
        Threshold::PercentileBelow(Percentile::P99, Duration::from_millis(200)),
        Threshold::PercentileBelow(Percentile::P999, Duration::from_millis(500)),
        Threshold::ErrorShareAtMost(0.001),
        Threshold::EveryOrderConfirmed,
        Threshold::AuditGreen,
    ],
};

const PIPELINE: Profile = Profile {
    name: "pipeline",
    summary: "orders from the moment their placing was due until a subscriber sees CONFIRMED",
    stages: &[Stage::new(20.0, Duration::from_secs(60))],
    mix: &[(Operation::OrderToConfirmed, 100)],
    audience: None,
    thresholds: &[
        Threshold::MeanBelow(Duration::from_millis(200)),
        Threshold::PercentileBelow(Percentile::P99, Duration::from_millis(200)),
        Threshold::ErrorShareAtMost(0.001),
        Threshold::EveryOrderConfirmed,
        Threshold::AuditGreen,
    ],
};

const SUBSCRIBERS: Profile = Profile {
    name: "subscribers",
    summary: "ten thousand WebSockets; a thousand of them are told of every order",
    stages: &[Stage::new(1.0, Duration::from_secs(30))],
    mix: &[(Operation::OrderToAudience, 100)],
    audience: Some(AudienceSize {
        idle: 9_000,
        listening: 1_000,
    }),
    thresholds: &[
        Threshold::PercentileBelow(Percentile::P99, Duration::from_secs(1)),
        Threshold::DeliveryBelow(Percentile::P99, Duration::from_millis(500)),
        Threshold::SubscriberBelow(64 * 1024),
        Threshold::EverySubscriberStays,
        Threshold::ErrorShareAtMost(0.0),
        Threshold::EveryOrderConfirmed,
        Threshold::AuditGreen,
    ],
};

impl Profile {
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// Draws the next operation by weight.
    pub fn draw(&self, random: &mut impl rand::Rng) -> Operation {
        let mut ticket = random.random_range(0..self.total_weight());
        for (operation, weight) in self.mix {
            if ticket < *weight {
                return *operation;
            }
            ticket -= weight;
        }
        // Unreachable while the ticket is below the total; the first operation is never wrong.
        self.mix[0].0
    }

    /// The share (0 to 1) of slots whose operation satisfies `matches`.
    pub fn share_of(&self, matches: impl Fn(Operation) -> bool) -> f64 {
        let weight: u32 = self
            .mix
            .iter()
            .filter(|(o, _)| matches(*o))
            .map(|(_, w)| w)
            .sum();
        f64::from(weight) / f64::from(self.total_weight())
    }

    fn total_weight(&self) -> u32 {
        self.mix.iter().map(|(_, weight)| weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::schedule::Schedule;

    #[test]
    fn every_profile_is_complete() {
        for profile in PROFILES {
            assert_eq!(profile.total_weight(), 100, "{}", profile.name);
            assert!(
                Schedule::new(profile.stages.to_vec()).is_ok(),
                "{}",
                profile.name
            );
            assert!(profile.thresholds.contains(&Threshold::EveryOrderConfirmed));
            assert_eq!(Profile::find(profile.name).unwrap().name, profile.name);
        }
    }

    #[test]
    fn the_mix_is_drawn_by_weight_and_repeats_with_the_seed() {
        let draw = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (0..10_000)
                .map(|_| BASELINE.draw(&mut random))
                .collect::<Vec<_>>()
        };
        let drawn = draw(7);
        let browsing = drawn
            .iter()
            .filter(|o| **o == Operation::BrowseGraphql)
            .count();
        assert!((1600..=2000).contains(&browsing), "{browsing}");
        assert_eq!(drawn, draw(7));
        assert_ne!(drawn, draw(8));
    }

    #[test]
    fn log_ins_stay_below_what_argon2_allows_on_one_core() {
        for profile in PROFILES {
            let peak = profile
                .stages
                .iter()
                .map(|stage| stage.rate)
                .fold(0.0, f64::max);
            let log_ins = peak * profile.share_of(|operation| operation == Operation::LogIn);
            assert!(log_ins < 10.0, "{}: {log_ins} a second", profile.name);
        }
    }
}
