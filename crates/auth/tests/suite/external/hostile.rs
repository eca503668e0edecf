//! What a provider, or somebody between it and us, may try. Each attempt fails, and the same
//! log-in without it succeeds.

use futures_util::future::join_all;
use serde_json::json;

use super::{
    Browser, LOGINS, app_and_provider,
    provider::{NAME, Signature, Tamper, TestProvider},
};
use crate::harness::{Answer, TestApp};

/// A log-in whose ID token was tampered with.
async fn log_in_with(app: &TestApp, provider: &TestProvider, tamper: Tamper) -> Answer {
    provider.behave(|state| state.tamper = tamper);
    Browser::new(app).log_in(provider).await
}

#[actix_web::test]
async fn an_id_token_that_is_not_for_this_log_in_is_refused() {
    let (app, provider) = app_and_provider().await;
    let attempts: [(&str, Tamper); 13] = [
        ("another issuer", |token| {
            token.claims["iss"] = json!("https://evil.example");
        }),
        ("the issuer with a slash", |token| {
            let issuer = token.claims["iss"].as_str().unwrap();
            token.claims["iss"] = json!(format!("{issuer}/"));
        }),
        ("another audience", |token| {
            token.claims["aud"] = json!("another-client");
        }),
        ("one more audience", |token| {
            token.claims["aud"] = json!(["plumbline", "another-client"]);
        }),
        ("no audience", |token| {
            token.claims.as_object_mut().unwrap().remove("aud");
        }),
        ("another authorized party", |token| {
            token.claims["azp"] = json!("another-client");
        }),
        ("another nonce", |token| {
            token.claims["nonce"] = json!("another-log-in");
        }),
        ("no nonce", |token| {
            token.claims.as_object_mut().unwrap().remove("nonce");
        }),
        ("expired", |token| {
            token.claims["exp"] = token.claims["iat"].clone();
        }),
        ("issued in the future", |token| {
            let issued = token.claims["iat"].as_i64().unwrap();
            token.claims["iat"] = json!(issued + 120);
        }),
        ("another access token beside it", |token| {
            token.claims["at_hash"] = json!("77QmUPtjPfzWtF2AnpK9RQ");
        }),
        ("another type", |token| {
            token.header["typ"] = json!("at+jwt");
        }),
        ("a critical extension", |token| {
            token.header["crit"] = json!(["exp"]);
        }),
    ];
    for (attempt, tamper) in attempts {
        let answer = log_in_with(&app, &provider, tamper).await;
        assert!([401, 503].contains(&answer.status), "{attempt}: {answer:?}");
    }
    assert_eq!(app.store.count("users").await, 0);
    log_in_with(&app, &provider, |_| {}).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn an_id_token_without_what_it_must_have_is_the_providers_fault() {
    let (app, provider) = app_and_provider().await;
    let without: [Tamper; 3] = [
        |token| token.claims = json!("a text"),
        |token| drop(token.claims.as_object_mut().unwrap().remove("iss")),
        |token| drop(token.claims.as_object_mut().unwrap().remove("sub")),
    ];
    for tamper in without {
        let answer = log_in_with(&app, &provider, tamper).await;
        answer.expect_problem(503, "external-provider-unavailable");
    }
    log_in_with(&app, &provider, |_| {}).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn an_id_token_with_another_signature_is_refused() {
    let (app, provider) = app_and_provider().await;
    let attempts: [(&str, Tamper); 6] = [
        ("another key", |token| token.signature = Signature::OtherKey),
        ("no signature", |token| token.signature = Signature::Missing),
        ("alg none", |token| {
            token.header["alg"] = json!("none");
            token.signature = Signature::Missing;
        }),
        ("HS256 with the client's secret", |token| {
            token.header["alg"] = json!("HS256");
            token.signature = Signature::ClientSecret;
        }),
        ("an algorithm that is not the key's", |token| {
            token.header["alg"] = json!("RS256");
        }),
        ("an embedded key", |token| {
            token.header["kid"] = json!("embedded");
            token.header["jwk"] = json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"});
            token.signature = Signature::OtherKey;
        }),
    ];
    for (attempt, tamper) in attempts {
        let answer = log_in_with(&app, &provider, tamper).await;
        assert_eq!(answer.status, 401, "{attempt}: {answer:?}");
        answer.expect_problem(401, "external-login-failed");
    }
    log_in_with(&app, &provider, |_| {}).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn the_response_of_another_issuer_is_refused() {
    let (app, provider) = app_and_provider().await;
    let issuer = || Some(provider.issuer.clone());
    let evil = || Some("https://evil.example".to_owned());
    // Whether the provider promises `iss`, what comes, and whether that does.
    let cases = [
        (true, issuer(), true),
        (true, None, false),
        (true, evil(), false),
        (false, issuer(), true),
        (false, None, true),
        (false, evil(), false),
    ];
    for (promised, iss, does) in cases {
        let provider = TestProvider::start();
        let key = "authorization_response_iss_parameter_supported";
        provider.behave(|state| state.metadata[key] = json!(promised));
        let app = super::app_with(vec![provider.config()]).await;
        let mut browser = Browser::new(&app);
        let url = browser.begin().await;
        let mut sent = provider.authorize(&url, &app.clock);
        sent.iss = iss.clone().map(|iss| {
            let is_own = iss.starts_with("http://127.0.0.1");
            if is_own { provider.issuer.clone() } else { iss }
        });
        let answer = browser.complete(&sent).await;
        let expected = if does { 201 } else { 401 };
        assert_eq!(answer.status, expected, "{promised} {iss:?}: {answer:?}");
        assert_eq!(
            provider.requests("/token"),
            usize::from(does),
            "the code stays here"
        );
        app.finish().await;
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_code_of_another_provider_is_not_carried_to_this_one() {
    let (honest, evil) = (TestProvider::start(), TestProvider::start());
    let mut second = evil.config();
    second.name = "evil".to_owned();
    let app = super::app_with(vec![honest.config(), second]).await;
    let mut browser = Browser::new(&app);
    let body = json!({"provider": "evil"});
    let answer = browser.post(LOGINS, body, None).await;
    // The evil provider sends the person on to the honest one, with the same state.
    let url = browser.begun(&answer);
    let sent = honest.authorize(&url, &app.clock);
    browser
        .complete(&sent)
        .await
        .expect_problem(401, "external-login-failed");
    assert_eq!(
        evil.requests("/token"),
        0,
        "the honest provider's code was not given away"
    );
    app.finish().await;
}

#[actix_web::test]
async fn a_state_works_once_and_a_code_works_once() {
    let (app, provider) = app_and_provider().await;
    let mut browser = Browser::new(&app);
    let url = browser.begin().await;
    let sent = provider.authorize(&url, &app.clock);
    let answers = join_all((0..8).map(|_| browser.complete(&sent))).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 401).count(),
        7,
        "{statuses:?}"
    );

    let mut replayed = provider.authorize(&browser.begin().await, &app.clock);
    replayed.code = sent.code;
    let answer = browser.complete(&replayed).await;
    answer.expect_problem(401, "external-login-failed");
    app.finish().await;
}

#[actix_web::test]
async fn a_code_that_was_injected_lacks_its_verifier() {
    let (app, provider) = app_and_provider().await;
    let (mut victim, mut thief) = (Browser::new(&app), Browser::new(&app));
    let stolen = provider.authorize(&victim.begin().await, &app.clock);
    let mut injected = provider.authorize(&thief.begin().await, &app.clock);
    injected.code = stolen.code;
    let answer = thief.complete(&injected).await;
    answer.expect_problem(401, "external-login-failed");
    app.finish().await;
}

#[actix_web::test]
async fn a_log_in_of_another_browser_can_not_be_completed() {
    let (app, provider) = app_and_provider().await;
    let (mut victim, mut attacker) = (Browser::new(&app), Browser::new(&app));
    let planted = provider.authorize(&attacker.begin().await, &app.clock);
    // Without any log-in of its own, and with one.
    victim
        .complete(&planted)
        .await
        .expect_problem(401, "external-login-failed");
    victim.begin().await;
    victim
        .complete(&planted)
        .await
        .expect_problem(401, "external-login-failed");
    attacker.complete(&planted).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn two_tabs_of_a_browser_log_in_side_by_side() {
    let (app, provider) = app_and_provider().await;
    let mut browser = Browser::new(&app);
    let (first, second) = (browser.begin().await, browser.begin().await);
    for url in [first, second] {
        let sent = provider.authorize(&url, &app.clock);
        browser.complete(&sent).await.expect(201);
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_log_in_expires_after_ten_minutes() {
    let (app, provider) = app_and_provider().await;
    let mut browser = Browser::new(&app);
    let late = browser.begin().await;
    app.clock.advance(chrono::TimeDelta::minutes(10));
    let sent = provider.authorize(&late, &app.clock);
    browser
        .complete(&sent)
        .await
        .expect_problem(401, "external-login-failed");
    assert_eq!(provider.requests("/token"), 0);
    app.finish().await;
}

#[actix_web::test]
async fn the_binding_cookie_is_out_of_reach_and_secrets_are_not_stored_in_the_clear() {
    let (app, _provider) = app_and_provider().await;
    let answer = app.post(LOGINS, json!({"provider": NAME})).await;
    let body = answer.expect(201);
    assert_eq!(body["expires_in"], 600);
    assert_eq!(answer.header("cache-control"), "no-store");
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-plumbline_external_login="),
        "{cookie}"
    );
    for attribute in [
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let sealed: String = app
        .store
        .scalar("SELECT secrets FROM external_logins")
        .await;
    assert!(sealed.starts_with("v1."), "{sealed}");
    let hash: Vec<u8> = app
        .store
        .scalar("SELECT state_hash FROM external_logins")
        .await;
    assert_eq!(hash.len(), 32);
    app.finish().await;
}

#[actix_web::test]
async fn opening_the_callback_page_consumes_nothing() {
    let (app, provider) = app_and_provider().await;
    let mut browser = Browser::new(&app);
    let sent = provider.authorize(&browser.begin().await, &app.clock);
    let query = format!("?state={}&code={}", sent.state, sent.code);
    let page = app.get(&format!("{LOGINS}/callback{query}")).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'"),
        "{policy}"
    );
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    let html = page.text();
    assert!(
        !html.contains(&sent.code) && html.contains("src=\"callback.js\""),
        "{html}"
    );
    assert_eq!(app.get(&format!("{LOGINS}/callback.js")).await.status, 200);
    assert_eq!(provider.requests("/token"), 0);
    browser.complete(&sent).await.expect(201);
    app.finish().await;
}
