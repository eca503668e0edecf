//! The generator against a stub of the shop that can be told to misbehave.

#![allow(
    clippy::unwrap_used,
    reason = "a test may panic; clippy.toml covers only test functions"
)]

mod bench;
mod binary;
mod failures;
mod generator;
mod page;
mod runs;
mod stalled_server;
mod stub;
mod subscribers;

use std::time::Duration;

use loadtests::profile::Profile;
use loadtests::run::{Mode, RunOptions};
use loadtests::schedule::{Schedule, Stage};
use loadtests::shop::client::Targets;
use loadtests::shop::shopper::Credentials;

/// A run of `profile` against the stub, shortened to `rate` requests a second for `seconds`.
fn options(profile: Profile, stub: &stub::Stub, rate: f64, seconds: u64) -> RunOptions {
    RunOptions {
        profile,
        schedule: Schedule::new(vec![Stage::new(rate, Duration::from_secs(seconds))]).unwrap(),
        targets: Targets {
            auth: stub.url(),
            gateway: stub.url(),
        },
        user: Credentials {
            email: stub::DEMO_EMAIL.to_owned(),
            password: stub::DEMO_PASSWORD.to_owned(),
        },
        idle_user: Credentials {
            email: "nobody@example.com".to_owned(),
            password: stub::DEMO_PASSWORD.to_owned(),
        },
        seed: 1,
        max_in_flight: 512,
        settle_limit: Duration::from_millis(300),
        mode: Mode::Embedded,
        commit: "0123abc".to_owned(),
        processes: Vec::new(),
        audit_command: None,
        show_progress: false,
    }
}

fn profile(name: &str) -> Profile {
    *Profile::find(name).unwrap()
}
