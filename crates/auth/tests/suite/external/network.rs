//! What a provider's address and its answers can do to us: nothing but fail, soon.

use std::{
    io::ErrorKind,
    net::TcpListener,
    time::{Duration, Instant},
};

use auth::ExternalLoginConfig;
use chrono::TimeDelta;
use serde_json::json;

use super::{
    Browser, LOGINS, app_and_provider, app_with,
    provider::{Discovery, NAME, TestProvider},
};
use crate::harness::{Answer, Options, TestApp, listen};

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Begins a log-in that the provider keeps from going on.
async fn fail_to_begin(app: &TestApp) -> Answer {
    let started = Instant::now();
    let answer = app.post(LOGINS, json!({"provider": NAME})).await;
    answer.expect_problem(503, "external-provider-unavailable");
    let retry_after: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=120).contains(&retry_after), "{retry_after}");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    answer
}

fn assert_untouched(listener: &TcpListener) {
    listener.set_nonblocking(true).unwrap();
    let error = listener.accept().unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::WouldBlock,
        "somebody has connected"
    );
}

#[actix_web::test]
async fn an_inner_address_is_not_connected_to_unless_that_is_configured() {
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001"] {
        let inner = listen();
        let port = inner.local_addr().unwrap().port();
        let mut config = TestProvider::start().config();
        config.issuer = format!("https://{host}:{port}");
        config.allow_private_network = false;
        let app = app_with(vec![config]).await;
        fail_to_begin(&app).await;
        assert_untouched(&inner);
        app.finish().await;
    }
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let inner = listen();
    let inner_url = format!("http://{}/", inner.local_addr().unwrap());
    for target in [&*inner_url, "http://169.254.169.254/latest/meta-data/"] {
        let (app, provider) = app_and_provider().await;
        provider.behave(|state| state.discovery = Discovery::RedirectsTo(target.to_owned()));
        fail_to_begin(&app).await;
        app.finish().await;
    }
    assert_untouched(&inner);
}

#[actix_web::test]
async fn metadata_can_not_send_us_to_a_metadata_service() {
    let metadata_service = "http://169.254.169.254/latest/meta-data/";
    for endpoint in ["jwks_uri", "authorization_endpoint"] {
        let (app, provider) = app_and_provider().await;
        provider.behave(|state| state.metadata[endpoint] = json!(metadata_service));
        fail_to_begin(&app).await;
        app.finish().await;
    }
    let (app, provider) = app_and_provider().await;
    provider.behave(|state| state.metadata["token_endpoint"] = json!(metadata_service));
    let answer = Browser::new(&app).log_in(&provider).await;
    answer.expect_problem(503, "external-provider-unavailable");
    app.finish().await;
}

#[actix_web::test]
async fn metadata_of_another_issuer_is_refused() {
    let (app, provider) = app_and_provider().await;
    provider.behave(|state| state.metadata["issuer"] = json!("https://evil.example"));
    fail_to_begin(&app).await;
    app.finish().await;
}

#[actix_web::test]
async fn an_endless_answer_is_cut_off() {
    let (app, provider) = app_and_provider().await;
    provider.behave(|state| state.discovery = Discovery::IsEndless);
    fail_to_begin(&app).await;
    app.finish().await;
}

#[actix_web::test]
async fn a_provider_that_never_answers_is_given_up() {
    let provider = TestProvider::start();
    provider.behave(|state| state.discovery = Discovery::NeverAnswers);
    let app = TestApp::start_with(Options {
        external_login: ExternalLoginConfig {
            providers: vec![provider.config()],
            request_timeout: Duration::from_millis(200),
        },
        ..Options::default()
    })
    .await;
    // However many wait, one asks.
    let waiting = (0..8).map(|_| fail_to_begin(&app));
    futures_util::future::join_all(waiting).await;
    assert_eq!(provider.requests(DISCOVERY), 1);
    app.finish().await;
}

#[actix_web::test]
async fn a_provider_that_is_away_is_left_alone_for_a_while_and_tried_again() {
    let (app, provider) = app_and_provider().await;
    provider.behave(|state| state.discovery = Discovery::Fails);
    for _ in 0..20 {
        fail_to_begin(&app).await;
        app.clock.advance(TimeDelta::seconds(1));
    }
    let asked = provider.requests(DISCOVERY);
    assert!(
        (2..=5).contains(&asked),
        "asked {asked} times in twenty seconds"
    );

    provider.behave(|state| state.discovery = Discovery::Works);
    app.clock.advance(TimeDelta::minutes(2));
    Browser::new(&app).log_in(&provider).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn metadata_is_fetched_once_and_outlives_a_provider_for_an_hour() {
    let (app, provider) = app_and_provider().await;
    let begin = || async { app.post(LOGINS, json!({"provider": NAME})).await };
    for answer in futures_util::future::join_all((0..8).map(|_| begin())).await {
        answer.expect(201);
    }
    assert_eq!(provider.requests(DISCOVERY), 1);
    app.clock.advance(TimeDelta::minutes(10));
    begin().await.expect(201);
    assert_eq!(
        provider.requests(DISCOVERY),
        2,
        "it is fetched again when it is stale"
    );

    provider.stop().await;
    app.clock.advance(TimeDelta::minutes(59));
    begin().await.expect(201);
    app.clock.advance(TimeDelta::minutes(1));
    fail_to_begin(&app).await;
    app.finish().await;
}

#[actix_web::test]
async fn a_providers_new_key_is_fetched_when_a_token_names_it() {
    let (app, provider) = app_and_provider().await;
    Browser::new(&app).log_in(&provider).await.expect(201);
    app.clock.advance(TimeDelta::seconds(30));
    provider.rotate_key();
    Browser::new(&app).log_in(&provider).await.expect(201);
    assert_eq!(provider.requests("/jwks"), 2);
    app.finish().await;
}

#[actix_web::test]
async fn settings_that_can_not_be_right_keep_the_service_from_starting() {
    let mut config = TestProvider::start().config();
    config.allow_private_network = false;
    let store = crate::harness::Store::create().await;
    let options = Options {
        external_login: ExternalLoginConfig {
            providers: vec![config],
            ..ExternalLoginConfig::default()
        },
        ..Options::default()
    };
    let built = crate::harness::build_on(&store.database, options).await;
    let error = built.err().unwrap().to_string();
    assert!(
        error.contains("`example` needs an issuer with https"),
        "{error}"
    );
    store.remove().await;
}
