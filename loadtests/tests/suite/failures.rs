//! What must not pass as success.

use loadtests::run::run;
use loadtests::thresholds::Verdict;

use super::stub::{Behaviour, Stub};
use super::{options, profile};

#[tokio::test(flavor = "multi_thread")]
async fn a_200_with_graphql_errors_is_a_failure() {
    let stub = Stub::start(Behaviour {
        graphql_errors: true,
        ..Behaviour::default()
    });
    let report = run(options(profile("smoke"), &stub, 50.0, 1))
        .await
        .unwrap();
    let [error] = report.measurements.errors.as_slice() else {
        panic!("one kind of error, not {:?}", report.measurements.errors)
    };
    assert_eq!(error.code, "graphql-internal-server-error");
    assert!(error.example.contains("a field failed"));
    for operation in &report.measurements.operations {
        let failed = if operation.operation.contains("GraphQL") {
            operation.latency.count
        } else {
            0
        };
        assert_eq!(operation.failed, failed, "{}", operation.operation);
    }
    assert_ne!(report.verdict, Verdict::Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn user_errors_of_a_mutation_are_failures() {
    let stub = Stub::start(Behaviour {
        user_errors: true,
        ..Behaviour::default()
    });
    let report = run(options(profile("pipeline"), &stub, 20.0, 1))
        .await
        .unwrap();
    assert_eq!(
        report.measurements.errors[0].code,
        "user-error-out-of-stock"
    );
    assert_eq!(
        report.measurements.failed,
        report.measurements.latency.count
    );
    assert_eq!(report.orders.placed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_order_that_is_never_confirmed_fails_the_run() {
    let stub = Stub::start(Behaviour {
        confirm_after: None,
        ..Behaviour::default()
    });
    let report = run(options(profile("smoke"), &stub, 50.0, 1))
        .await
        .unwrap();
    assert!(report.orders.placed > 0);
    assert_eq!(report.orders.confirmed, 0);
    assert_eq!(report.orders.not_confirmed["PLACED"], report.orders.placed);
    let missed: Vec<_> = report
        .thresholds
        .iter()
        .filter(|threshold| !threshold.met)
        .collect();
    assert!(
        missed
            .iter()
            .any(|threshold| threshold.objective == "every order confirmed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_audit_fails_the_run() {
    let stub = Stub::start(Behaviour::default());
    let mut options = options(profile("smoke"), &stub, 10.0, 1);
    options.audit_command = Some("echo 'stock not constant'; exit 1".to_owned());
    let report = run(options).await.unwrap();
    let audit = report
        .thresholds
        .iter()
        .find(|t| t.objective == "audit green")
        .unwrap();
    assert!(!audit.met);
    assert_eq!(audit.measured, "stock not constant");
}
