//! `POST /auth/oauth2/introspect` (RFC 7662) and `POST /auth/oauth2/revoke` (RFC 7009).

use chrono::TimeDelta;
use kernel::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, EMAIL, GATEWAY, GATEWAY_SECRET, PASSWORD, TestApp};

const REVOKE: &str = "/auth/oauth2/revoke";
const CREDENTIALS: (&str, &str) = (GATEWAY, GATEWAY_SECRET);

type Program = (String, String);

/// A program that may introspect what is for people.
async fn resource_server(app: &TestApp) -> Program {
    let admin = app.admin_token().await;
    app.create_program(
        &admin,
        "resource-server",
        "plumbline",
        &["tokens:introspect"],
    )
    .await
}

async fn introspect(app: &TestApp, program: &Program, token: &str) -> Value {
    let credentials = Some((program.0.as_str(), program.1.as_str()));
    let path = "/auth/oauth2/introspect";
    let answer = app.form(path, credentials, &[("token", token)]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.expect(200)
}

/// As our own pages: a public client.
async fn revoke(app: &TestApp, token: &str) -> Answer {
    let form = [("token", token), ("client_id", "plumbline")];
    app.form(REVOKE, None, &form).await
}

fn text(session: &Value, member: &str) -> String {
    session[member].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn introspection_tells_what_a_valid_token_says_and_of_others_nothing() {
    let app = TestApp::start().await;
    let program = resource_server(&app).await;
    let session = app.seed_and_log_in().await;
    let token = text(&session, "access_token");
    let told = introspect(&app, &program, &token).await;
    assert_eq!(told["active"], true);
    assert_eq!(told["aud"], "plumbline");
    assert_eq!(told["roles"], json!(["customer"]));
    assert_eq!(told["token_type"], "Bearer");

    let inactive = json!({"active": false});
    let service_token = app.service_token(CREDENTIALS).await;
    let altered = format!("{}x", &token[..token.len() - 1]);
    for (what, token) in [
        ("garbage", "garbage"),
        ("an altered token", altered.as_str()),
        (
            "a refresh token",
            session["refresh_token"].as_str().unwrap(),
        ),
        ("a token for another audience", &service_token),
        ("a secret", GATEWAY_SECRET),
    ] {
        assert_eq!(introspect(&app, &program, token).await, inactive, "{what}");
    }
    app.call(Method::DELETE, "/auth/v1/sessions", &token, None)
        .await
        .expect(204);
    assert_eq!(
        introspect(&app, &program, &token).await,
        inactive,
        "revoked"
    );
    let session = app.log_in(EMAIL, PASSWORD).await.expect(201);
    let token = text(&session, "access_token");
    app.clock.advance(TimeDelta::seconds(606));
    assert_eq!(
        introspect(&app, &program, &token).await,
        inactive,
        "expired"
    );
    app.finish().await;
}

#[actix_web::test]
async fn introspection_needs_a_client_with_the_permission() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let form = [("token", token.as_str())];
    let path = "/auth/oauth2/introspect";
    let unscoped = app.form(path, Some(CREDENTIALS), &form).await;
    assert_eq!(unscoped.expect(400)["error"], "unauthorized_client");
    for credentials in [None, Some((GATEWAY, "wrong")), Some(("plumbline", ""))] {
        let answer = app.form(path, credentials, &form).await;
        assert_eq!(answer.expect(401)["error"], "invalid_client");
    }
    // A person's token is no client authentication.
    let answer = app.call(Method::POST, path, &token, None).await;
    assert_eq!(answer.expect(400)["error"], "invalid_request");
    let answer = app.form(path, Some(CREDENTIALS), &[]).await;
    assert_eq!(answer.expect(400)["error"], "invalid_request");
    app.finish().await;
}

#[actix_web::test]
async fn a_revoked_refresh_token_ends_its_session() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let other = app.log_in(EMAIL, PASSWORD).await.expect(201);
    let refresh_token = text(&session, "refresh_token");
    for _ in 0..2 {
        assert_eq!(revoke(&app, &refresh_token).await.status, 200);
    }
    let refreshed = app.refresh(&refresh_token).await;
    refreshed.expect_problem(401, "refresh-invalid");
    let me = app
        .me(&format!("Bearer {}", text(&session, "access_token")))
        .await;
    me.expect_problem(401, "invalid-token");
    app.me(&format!("Bearer {}", text(&other, "access_token")))
        .await
        .expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn a_revoked_access_token_ends_alone() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let token = text(&session, "access_token");
    assert_eq!(revoke(&app, &token).await.status, 200);
    let me = app.me(&format!("Bearer {token}")).await;
    me.expect_problem(401, "invalid-token");
    let refreshed = app
        .refresh(&text(&session, "refresh_token"))
        .await
        .expect(200);
    let token = text(&refreshed, "access_token");
    app.me(&format!("Bearer {token}")).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn a_program_revokes_its_own_tokens_and_no_others() {
    let app = TestApp::start().await;
    let program = resource_server(&app).await;
    let session = app.seed_and_log_in().await;
    let (access, refresh) = (
        text(&session, "access_token"),
        text(&session, "refresh_token"),
    );
    let own = app.service_token((&program.0, &program.1)).await;
    assert_eq!(introspect(&app, &program, &own).await["active"], true);
    let revoke = async |token: &str| {
        let credentials = Some((program.0.as_str(), program.1.as_str()));
        app.form(REVOKE, credentials, &[("token", token)]).await
    };
    for token in [&access, &refresh, &app.service_token(CREDENTIALS).await] {
        assert_eq!(
            revoke(token).await.expect(400)["error"],
            "unauthorized_client"
        );
    }
    for token in ["garbage", "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE"] {
        assert_eq!(revoke(token).await.status, 200, "{token}");
    }
    assert_eq!(revoke(&own).await.status, 200);
    assert_eq!(introspect(&app, &program, &own).await["active"], false);
    app.me(&format!("Bearer {access}")).await.expect(200);
    app.refresh(&refresh).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn revocation_by_nobody_or_of_nothing_is_refused() {
    let app = TestApp::start().await;
    for (credentials, form, status, error) in [
        (None, vec![("token", "a")], 401, "invalid_client"),
        (
            None,
            vec![("token", "a"), ("client_id", GATEWAY)],
            401,
            "invalid_client",
        ),
        (
            Some((GATEWAY, "wrong")),
            vec![("token", "a")],
            401,
            "invalid_client",
        ),
        (Some(CREDENTIALS), vec![], 400, "invalid_request"),
        (
            None,
            vec![("client_id", "plumbline")],
            400,
            "invalid_request",
        ),
    ] {
        let answer = app.form(REVOKE, credentials, &form).await;
        assert_eq!(answer.expect(status)["error"], error, "{form:?}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn the_tokens_of_a_disabled_program_are_refused() {
    let app = TestApp::start().await;
    let program = resource_server(&app).await;
    let admin = app.log_in("admin@example.com", PASSWORD).await.expect(201);
    let admin = text(&admin, "access_token");
    let second = app
        .create_program(&admin, "second", "plumbline", &["users:look-up"])
        .await;
    let token = app.service_token((&second.0, &second.1)).await;
    assert_eq!(introspect(&app, &program, &token).await["active"], true);
    let path = "/auth/v1/admin/service-accounts";
    let listed = app.call(Method::GET, path, &admin, None).await.expect(200);
    let accounts = listed["items"].as_array().unwrap().iter();
    let id = accounts
        .clone()
        .find(|one| one["client_id"] == "second")
        .unwrap()["id"]
        .clone();
    let one = format!("{path}/{}", id.as_str().unwrap());
    app.call(Method::DELETE, &one, &admin, None)
        .await
        .expect(204);
    assert_eq!(introspect(&app, &program, &token).await["active"], false);
    app.finish().await;
}
