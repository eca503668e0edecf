//! `POST /auth/oauth2/token`: the client credentials grant.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{GATEWAY, GATEWAY_SECRET, TestApp};

const PATH: &str = "/auth/oauth2/token";
const CREDENTIALS: (&str, &str) = (GATEWAY, GATEWAY_SECRET);
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[actix_web::test]
async fn a_program_gets_a_token_in_its_own_name() {
    let app = TestApp::start().await;
    let answer = app.ask_for_token(CREDENTIALS, &[]).await;
    let body = answer.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "users:look-up");
    assert_eq!(body.as_object().unwrap().len(), 4, "no refresh token");

    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], "plumbline:user-directory");
    assert_eq!(claims["client_id"], GATEWAY);
    assert_eq!(claims["roles"], json!(["service"]));
    assert_eq!(claims["scope"], "users:look-up");
    assert_eq!(claims.get("sid"), None);
    app.finish().await;
}

#[actix_web::test]
async fn a_client_may_authenticate_in_the_body() {
    let app = TestApp::start().await;
    let form = [
        GRANT,
        ("client_id", GATEWAY),
        ("client_secret", GATEWAY_SECRET),
    ];
    app.form(PATH, None, &form).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn a_program_s_token_opens_nothing_that_is_for_people() {
    let app = TestApp::start().await;
    let token = app.service_token(CREDENTIALS).await;
    let answer = app.me(&format!("Bearer {token}")).await;
    answer.expect_problem(401, "invalid-token");

    // Not even one for the same audience as people's.
    let admin = app.admin_token().await;
    let program = app
        .create_program(&admin, "insider", "plumbline", &["users:look-up"])
        .await;
    let token = app.service_token((&program.0, &program.1)).await;
    for path in ["/auth/v1/me", "/auth/v1/admin/service-accounts"] {
        let answer = app.call(Method::GET, path, &token, None).await;
        answer.expect_problem(403, "forbidden");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_request_may_narrow_the_scope_and_never_widen_it() {
    let app = TestApp::start().await;
    let admin = app.admin_token().await;
    let scopes = ["users:look-up", "tokens:introspect"];
    let program = app.create_program(&admin, "both", "a:b", &scopes).await;
    let credentials = (program.0.as_str(), program.1.as_str());
    for (asked, given) in [
        ("users:look-up", "users:look-up"),
        (
            "tokens:introspect users:look-up",
            "users:look-up tokens:introspect",
        ),
        ("", "users:look-up tokens:introspect"),
    ] {
        let answer = app.ask_for_token(credentials, &[("scope", asked)]).await;
        assert_eq!(answer.expect(200)["scope"], given, "{asked}");
    }
    for asked in [
        "plumbline",
        "orders:advance",
        "users:look-up orders:advance",
        "users:look-up  tokens:introspect",
        "USERS:LOOK-UP",
        "root",
    ] {
        let answer = app.ask_for_token(credentials, &[("scope", asked)]).await;
        assert_eq!(answer.expect(400)["error"], "invalid_scope", "{asked}");
    }
    let right = app.ask_for_token(credentials, &[("audience", "a:b")]).await;
    right.expect(200);
    for audience in ["plumbline", "a:b plumbline", "A:B"] {
        let answer = app
            .ask_for_token(credentials, &[("audience", audience)])
            .await;
        assert_eq!(answer.expect(400)["error"], "invalid_target", "{audience}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn nothing_tells_why_a_client_is_not_accepted() {
    let app = TestApp::start().await;
    let admin = app.admin_token().await;
    let disabled = app
        .create_program(&admin, "disabled", "a", &["users:look-up"])
        .await;
    app.store
        .execute("UPDATE service_accounts SET disabled_at = created_at WHERE name = 'disabled'")
        .await;
    let other = disabled.1.clone();
    let mut answers = Vec::new();
    for credentials in [
        ("nobody", GATEWAY_SECRET),
        (GATEWAY, other.as_str()),
        (GATEWAY, "not a secret"),
        (GATEWAY, ""),
        ("", GATEWAY_SECRET),
        ("Gateway", GATEWAY_SECRET),
        ("disabled", disabled.1.as_str()),
    ] {
        let answer = app.ask_for_token(credentials, &[]).await;
        assert_eq!(
            answer.expect(401)["error"],
            "invalid_client",
            "{credentials:?}"
        );
        assert!(answer.header("www-authenticate").starts_with("Basic "));
        assert_eq!(answer.header("cache-control"), "no-store");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    app.finish().await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_request_is_told_as_rfc_6749_has_it() {
    let app = TestApp::start().await;
    let twice = [GRANT, GRANT];
    let both = [
        GRANT,
        ("client_id", GATEWAY),
        ("client_secret", GATEWAY_SECRET),
    ];
    let password = [
        ("grant_type", "password"),
        ("username", "a"),
        ("password", "b"),
    ];
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&twice, "invalid_request"),
        (&both, "invalid_request"),
        (&password, "unsupported_grant_type"),
        (&[("grant_type", "refresh_token")], "unsupported_grant_type"),
    ];
    for (form, error) in cases {
        let answer = app.form(PATH, Some(CREDENTIALS), form).await;
        assert_eq!(answer.expect(400)["error"], error, "{form:?}");
    }
    // What the server does not know is ignored (§3.2).
    let unknown = [
        GRANT,
        ("resource_owner", "me"),
        ("sub", "someone"),
        ("roles", "admin"),
    ];
    let token = app
        .form(PATH, Some(CREDENTIALS), &unknown)
        .await
        .expect(200);
    let claims = claims(token["access_token"].as_str().unwrap());
    assert_eq!(claims["roles"], json!(["service"]));

    let json = r#"{"grant_type":"client_credentials"}"#;
    let answer = app.post_raw(PATH, "application/json", json).await;
    assert_eq!(answer.expect(400)["error"], "invalid_request");
    let huge = format!("grant_type={}", "a".repeat(9000));
    let answer = app
        .post_raw(PATH, "application/x-www-form-urlencoded", huge)
        .await;
    answer.expect_problem(413, "payload-too-large");
    let answer = app.get(PATH).await;
    answer.expect_problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "POST");
    app.finish().await;
}

#[actix_web::test]
async fn a_configured_account_follows_the_configuration() {
    let app = TestApp::start().await;
    app.store
        .execute("UPDATE service_accounts SET scopes = 'tokens:introspect', audience = 'old'")
        .await;
    let stale = app.ask_for_token(CREDENTIALS, &[]).await.expect(200);
    assert_eq!(stale["scope"], "tokens:introspect");
    let store = app.stop().await;
    let app = TestApp::start_on(store, crate::harness::Options::default()).await;
    let token = app.ask_for_token(CREDENTIALS, &[]).await.expect(200);
    assert_eq!(token["scope"], "users:look-up");
    let claims = claims(token["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], user_directory::AUDIENCE);
    assert_eq!(app.store.count("service_accounts").await, 1);
    app.finish().await;
}
