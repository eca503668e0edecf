use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use kernel::ManualClock;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;
use user_directory::{Directory, DirectoryError, MAX_IDS};

use crate::stub::{Issuer, Stub, ids};

fn clock() -> ManualClock {
    ManualClock::starting_now()
}

async fn a_page_of_people_is_one_call(directory: Directory, stub: Stub) {
    let ids = ids(MAX_IDS);
    let asked = ids.iter().chain(&ids).copied();
    let people = directory.people(asked).await.unwrap();
    assert_eq!(people.len(), MAX_IDS);
    let person = &people[&ids[7]];
    assert_eq!(person.name, format!("Name of {}", ids[7]));
    assert_eq!(person.email, format!("{}@example.com", ids[7]));
    assert_eq!(stub.batches(), [MAX_IDS], "each id once");
}

#[tokio::test]
async fn over_the_network_a_page_of_people_is_one_call() {
    let stub = Stub::accepting("token-1");
    let (directory, _serving) = stub.over_loopback(Issuer::default().tokens(&clock()));
    a_page_of_people_is_one_call(directory, stub).await;
}

#[tokio::test]
async fn in_process_a_page_of_people_is_one_call() {
    let stub = Stub::accepting("token-1");
    let directory = stub.in_process(Issuer::default().tokens(&clock()));
    a_page_of_people_is_one_call(directory, stub).await;
}

#[tokio::test]
async fn more_than_the_limit_is_asked_for_in_batches_and_nobody_is_not_asked_for() {
    let stub = Stub::accepting("token-1");
    let directory = stub.in_process(Issuer::default().tokens(&clock()));
    assert!(directory.people([]).await.unwrap().is_empty());
    let people = directory.people(ids(2 * MAX_IDS + 1)).await.unwrap();
    assert_eq!(people.len(), 2 * MAX_IDS + 1);
    assert_eq!(stub.batches(), [MAX_IDS, MAX_IDS, 1]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_not_waited_for_longer_than_the_deadline() {
    let stub = Stub {
        is_stuck: true,
        ..Stub::accepting("token-1")
    };
    let tokens = Issuer::default().tokens(&clock());
    let directory = stub
        .in_process(tokens)
        .with_deadline(Duration::from_millis(700));
    let asked = tokio::time::Instant::now();
    let error = directory.people(ids(1)).await.unwrap_err();
    assert!(matches!(error, DirectoryError::Timeout), "{error:?}");
    assert!(error.is_transient());
    assert_eq!(asked.elapsed(), Duration::from_millis(700));
    let calls = stub.calls.lock().unwrap();
    let told = calls[0].0.get("grpc-timeout").unwrap();
    assert_eq!(told, "700000u", "the server is told");
}

#[tokio::test]
async fn a_server_that_is_away_is_a_transient_error() {
    let stub = Stub::accepting("token-1");
    let (directory, serving) = stub.over_loopback(Issuer::default().tokens(&clock()));
    assert!(directory.people(ids(1)).await.is_ok());
    drop(serving);
    let error = loop {
        // The server takes a moment to go.
        if let Err(error) = directory.people(ids(1)).await {
            break error;
        }
    };
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let (stub, issuer) = (Stub::accepting("token-2"), Issuer::default());
    let directory = stub.in_process(issuer.tokens(&clock()));
    assert!(directory.people(ids(1)).await.is_ok());
    assert_eq!(issuer.fetches(), 2);
    "never".clone_into(&mut stub.accepted.lock().unwrap());
    let error = directory.people(ids(1)).await.unwrap_err();
    assert!(matches!(&error, DirectoryError::Status(_)), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test]
async fn the_trace_goes_on_at_the_other_side() {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber =
        tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let stub = Stub::accepting("token-1");
    let (directory, _serving) = stub.over_loopback(Issuer::default().tokens(&clock()));
    let span = tracing::info_span!("request");
    let trace = span.in_scope(trace_context::current_trace_id).unwrap();
    directory.people(ids(1)).instrument(span).await.unwrap();
    let calls = stub.calls.lock().unwrap();
    let traceparent = calls[0].0.get("traceparent").unwrap().to_str().unwrap();
    assert_eq!(traceparent.split('-').nth(1), Some(trace.as_str()));
}

#[tokio::test]
async fn clients_are_shared_by_tasks() {
    let stub = Stub::accepting("token-1");
    let directory = Arc::new(stub.in_process(Issuer::default().tokens(&clock())));
    let call = async move { directory.people(ids(1)).await };
    assert!(tokio::spawn(call).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_server_that_stays_away_is_left_alone_and_found_again() {
    let (stub, clock) = (Stub::accepting("token-1"), clock());
    let (directory, serving) = stub.over_loopback(Issuer::default().tokens(&clock));
    assert!(directory.people(ids(1)).await.is_ok());
    let address = serving.stop().await;
    let mut failures = 0;
    let pause = loop {
        match directory.people(ids(1)).await.unwrap_err() {
            DirectoryError::LeftAlone(pause) => break pause,
            error => assert!(error.is_transient(), "{error:?}"),
        }
        failures += 1;
    };
    assert_eq!(failures, 3);
    assert_eq!(pause, Duration::from_millis(500));

    // One trial after the pause; it fails, and the next pause is twice as long.
    clock.advance(TimeDelta::milliseconds(500));
    let trial = directory.people(ids(1)).await.unwrap_err();
    assert!(!matches!(trial, DirectoryError::LeftAlone(_)), "{trial:?}");
    let next = directory.people(ids(1)).await.unwrap_err();
    let expected = Duration::from_secs(1);
    assert!(matches!(next, DirectoryError::LeftAlone(pause) if pause == expected));

    let _serving = stub.serve(address);
    clock.advance(TimeDelta::seconds(1));
    assert!(directory.people(ids(1)).await.is_ok());
    assert!(directory.people(ids(1)).await.is_ok());
}
