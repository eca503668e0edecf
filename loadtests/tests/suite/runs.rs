//! Whole runs against a shop that behaves.

use std::time::Duration;

use loadtests::run::{RunError, run};
use loadtests::shop::SetUpError;

use super::stub::{Behaviour, Stub};
use super::{options, profile};

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_whole_mix_succeeds_and_its_orders_are_confirmed() {
    let stub = Stub::start(Behaviour::default());
    let report = run(options(profile("smoke"), &stub, 150.0, 2))
        .await
        .unwrap();
    let measured = &report.measurements;
    assert!(measured.errors.is_empty(), "{:?}", measured.errors);
    assert_eq!(measured.slots.scheduled, 300);
    assert_eq!(measured.latency.count + measured.slots.dropped, 300);
    assert_eq!(
        measured.operations.len(),
        report.run.mix.len(),
        "{:?}",
        measured.operations
    );
    assert!(report.orders.placed > 10);
    assert_eq!(report.orders.confirmed, report.orders.placed);
    assert!((measured.offered_rate - 150.0).abs() < 0.01);
    assert_eq!(report.processes.len(), 1, "the generator watches itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pipeline_is_timed_until_the_subscriber_sees_the_confirmation() {
    let confirm_after = Some(Duration::from_millis(60));
    let stub = Stub::start(Behaviour {
        confirm_after,
        ..Behaviour::default()
    });
    let report = run(options(profile("pipeline"), &stub, 40.0, 1))
        .await
        .unwrap();
    let measured = &report.measurements;
    assert!(measured.errors.is_empty(), "{:?}", measured.errors);
    assert!(
        measured.latency.p50_ms >= 60.0,
        "p50 is {} ms",
        measured.latency.p50_ms
    );
    assert_eq!(report.orders.confirmed, report.orders.placed);
}

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_register_where_the_demo_user_is_unknown() {
    let stub = Stub::start(Behaviour {
        demo_user: false,
        ..Behaviour::default()
    });
    let report = run(options(profile("smoke"), &stub, 20.0, 1))
        .await
        .unwrap();
    assert!(
        report.measurements.errors.is_empty(),
        "{:?}",
        report.measurements.errors
    );
    assert_eq!(stub.state.registered.lock().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_would_sell_out_is_not_begun() {
    let stub = Stub::start(Behaviour {
        stock: 1,
        ..Behaviour::default()
    });
    let refused = run(options(profile("pipeline"), &stub, 100.0, 1)).await;
    assert!(matches!(
        refused,
        Err(RunError::Stock {
            stock: 30,
            needed: 140
        })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_not_there_is_an_error_and_not_a_measurement() {
    let stub = Stub::start(Behaviour::default());
    let mut options = options(profile("smoke"), &stub, 10.0, 1);
    // Port 9 (discard) has no server on a development machine.
    options.targets.gateway = "http://127.0.0.1:9".parse().unwrap();
    let refused = run(options).await;
    assert!(matches!(
        refused,
        Err(RunError::SetUp(SetUpError::Catalogue { .. }))
    ));
}
