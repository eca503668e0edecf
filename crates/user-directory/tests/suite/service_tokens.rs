use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
};

use chrono::TimeDelta;
use futures_util::{FutureExt as _, future::join_all};
use kernel::ManualClock;
use user_directory::{ClientCredentials, DirectoryError, ServiceTokens};

use crate::stub::{Issuer, Stub, ids};

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let (clock, issuer) = (ManualClock::starting_now(), Issuer::default());
    let stub = Stub::accepting("token-1");
    let directory = stub.in_process(issuer.tokens(&clock));
    assert!(directory.people(ids(1)).await.is_ok());
    clock.advance(TimeDelta::seconds(569));
    assert!(directory.people(ids(1)).await.is_ok());
    assert_eq!(issuer.fetches(), 1);
    clock.advance(TimeDelta::seconds(1));
    "token-2".clone_into(&mut stub.accepted.lock().unwrap());
    assert!(directory.people(ids(1)).await.is_ok());
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn callers_at_once_share_one_fetch() {
    let (clock, issuer) = (ManualClock::starting_now(), Issuer::default());
    let directory = Stub::accepting("token-1").in_process(issuer.tokens(&clock));
    let calls = join_all((0..20).map(|_| directory.people(ids(1)))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_takes_the_token_from_nobody() {
    let (clock, issuer) = (ManualClock::starting_now(), Issuer::default());
    let directory = Stub::accepting("token-1").in_process(issuer.tokens(&clock));
    let hung_up = directory.people(ids(1)).now_or_never();
    assert!(hung_up.is_none(), "it waits");
    assert!(directory.people(ids(1)).await.is_ok());
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_issuer_that_fails_is_asked_once_a_second() {
    let clock = ManualClock::starting_now();
    let issuer = Issuer {
        fails: true,
        ..Issuer::default()
    };
    let directory = Stub::default().in_process(issuer.tokens(&clock));
    for attempt in 1..=10 {
        let error = directory.people(ids(1)).await.unwrap_err();
        let is_left_alone = matches!(&error, DirectoryError::LeftAlone(_));
        assert_eq!(is_left_alone, attempt > 3, "{error:?}");
        assert!(error.is_transient());
    }
    assert_eq!(issuer.fetches(), 1);
    clock.advance(TimeDelta::seconds(1));
    assert!(directory.people(ids(1)).await.is_err());
    assert_eq!(issuer.fetches(), 2);
}

/// A token endpoint that answers one request with `answer`, and tells what it was asked.
fn endpoint(answer: String) -> (ServiceTokens, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        let mut buffer = [0; 4096];
        while !request.ends_with("grant_type=client_credentials") {
            let read = stream.read(&mut buffer).unwrap();
            request += std::str::from_utf8(&buffer[..read]).unwrap();
        }
        // Whoever refuses a long answer closes the connection.
        let _ = stream.write_all(answer.as_bytes());
        request
    });
    let credentials = ClientCredentials {
        token_endpoint: format!("{origin}/auth/oauth2/token").parse().unwrap(),
        client_id: "gateway".to_owned(),
        client_secret: "secret".into(),
    };
    let clock = Arc::new(ManualClock::starting_now());
    let tokens = ServiceTokens::from_endpoint(clock, credentials).unwrap();
    (tokens, answering)
}

fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn the_client_credentials_grant_is_asked_with_basic_authentication() {
    let body = r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#;
    let (tokens, endpoint) = endpoint(response("200 OK", body));
    let directory = Stub::accepting("abc").in_process(tokens);
    assert!(directory.people(ids(1)).await.is_ok());
    let request = endpoint.join().unwrap().to_lowercase();
    assert!(request.starts_with("post /auth/oauth2/token "), "{request}");
    // "gateway:secret" (RFC 7617).
    let basic = "authorization: Basic Z2F0ZXdheTpzZWNyZXQ=".to_lowercase();
    assert!(request.contains(&basic), "{request}");
}

#[tokio::test]
async fn what_is_wrong_at_the_token_endpoint_is_told_apart() {
    let invalid = response("401 Unauthorized", r#"{"error":"invalid_client"}"#);
    let huge = response("200 OK", &" ".repeat(64 * 1024));
    let cases = [
        (invalid, "Refused { error: \"invalid_client\" }", false),
        (
            response("503 Service Unavailable", "{}"),
            "Status(503)",
            true,
        ),
        (response("200 OK", "[]"), "Malformed(", false),
        (huge, "TooLarge", false),
    ];
    for (answer, expected, is_transient) in cases {
        let (tokens, endpoint) = endpoint(answer);
        let directory = Stub::default().in_process(tokens);
        let error = directory.people(ids(1)).await.unwrap_err();
        let DirectoryError::Token(cause) = &error else {
            panic!("{error:?}");
        };
        assert!(format!("{cause:?}").starts_with(expected), "{cause:?}");
        assert_eq!(error.is_transient(), is_transient, "{cause:?}");
        endpoint.join().unwrap();
    }
}
