//! Subscribers beside the load.

use std::time::Duration;

use loadtests::profile::Profile;
use loadtests::run::run;
use loadtests::shop::audience::AudienceSize;
use loadtests::thresholds::Verdict;

use super::stub::{Behaviour, Stub};
use super::{options, profile};

fn small() -> Profile {
    let audience = Some(AudienceSize {
        idle: 0,
        listening: 4,
    });
    Profile {
        audience,
        ..profile("subscribers")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listener_is_told_of_every_order() {
    let behaviour = Behaviour {
        confirm_after: Some(Duration::ZERO),
        ..Behaviour::default()
    };
    let stub = Stub::start(behaviour);
    let report = run(options(small(), &stub, 10.0, 1)).await.unwrap();
    let measured = &report.measurements;
    assert!(measured.errors.is_empty(), "{:?}", measured.errors);
    assert_eq!(report.orders.confirmed, 10);
    let audience = report.audience.unwrap();
    assert_eq!(audience.delivery.count, 40);
    assert_eq!((audience.lost, audience.bytes_per_subscriber), (0, None));
    // Nobody asked for an audit, and nobody watched the memory.
    assert_eq!(report.thresholds.len(), 5);
    // How quickly, and whether the generator was late, depends on who shares the machine.
    let mut certain = report.thresholds.iter();
    let missed = certain.find(|result| !result.met && !result.objective.ends_with("ms"));
    assert!(missed.is_none(), "{missed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listener_who_is_not_told_fails_the_run() {
    let behaviour = Behaviour {
        forgotten: 1,
        ..Behaviour::default()
    };
    let stub = Stub::start(behaviour);
    let report = run(options(small(), &stub, 1.0, 1)).await.unwrap();
    let errors = &report.measurements.errors;
    assert_eq!(errors[0].code, "timed-out", "{errors:?}");
    assert_ne!(report.verdict, Verdict::Passed);
}
