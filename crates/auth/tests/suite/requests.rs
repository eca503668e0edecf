//! Bad input is refused with a stable code, on every route, and nothing is written.

use reqwest::Method;
use serde_json::json;

use crate::harness::{EMAIL, NAME, PASSWORD, TestApp};

const JSON: &str = "application/json";
const POSTS: [&str; 9] = [
    "/auth/v1/users",
    "/auth/v1/email-verifications",
    "/auth/v1/email-verifications/confirm",
    "/auth/v1/password-resets",
    "/auth/v1/password-resets/confirm",
    "/auth/v1/email-changes/confirm",
    "/auth/v1/sessions",
    "/auth/v1/sessions/mfa",
    "/auth/v1/tokens/refresh",
];

#[actix_web::test]
async fn bodies_that_are_not_what_they_should_be_are_refused() {
    let app = TestApp::start().await;
    let deep = format!("{}1{}", "[".repeat(2000), "]".repeat(2000));
    let huge = format!("{{\"email\":\"{}\"}}", "x".repeat(8 * 1024));
    for path in POSTS {
        for body in ["", "{", "nonsense", "\u{feff}{}"] {
            let answer = app.post_raw(path, JSON, body).await;
            answer.expect_problem(400, "malformed-json");
        }
        for body in [
            "{}",
            "[]",
            &deep,
            "null",
            "1",
            "\"x\"",
            r#"{"email":1,"token":1,"refresh_token":1,"challenge":1}"#,
        ] {
            let answer = app.post_raw(path, JSON, body).await;
            answer.expect_problem(422, "validation");
        }
        let answer = app.post_raw(path, JSON, huge.as_str()).await;
        answer.expect_problem(413, "payload-too-large");
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
        ] {
            let answer = app.post_raw(path, content_type, "{}").await;
            answer.expect_problem(415, "unsupported-media-type");
        }
    }
    for table in [
        "users",
        "sessions",
        "refresh_tokens",
        "email_verifications",
        "password_resets",
        "email_changes",
        "audit_events",
        "outbox",
    ] {
        assert_eq!(app.store.count(table).await, 0, "{table}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn nobody_gives_themselves_a_role_or_a_verified_address() {
    let app = TestApp::start().await;
    for (field, value) in [
        ("role", json!("admin")),
        ("roles", json!(["admin"])),
        ("email_verified", json!(true)),
        ("email_verified_at", json!("2026-01-01T00:00:00Z")),
        ("id", json!("00000000-0000-0000-0000-000000000000")),
        ("password_hash", json!("x")),
    ] {
        let mut body = json!({"email": EMAIL, "password": PASSWORD, "name": NAME});
        body[field] = value;
        let problem = app
            .post("/auth/v1/users", body)
            .await
            .expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    assert_eq!(app.store.count("users").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn other_methods_and_paths_are_problems_too() {
    let app = TestApp::start().await;
    for path in POSTS {
        let answer = app.send(Method::PATCH, path, None).await;
        answer.expect_problem(405, "method-not-allowed");
        let allowed = answer.header("allow");
        assert!(
            allowed.split(", ").any(|method| method == "POST"),
            "{allowed}"
        );
    }
    let answer = app.post("/auth/v1/me", json!({})).await;
    answer.expect_problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET, HEAD, PATCH, DELETE");
    for path in [
        "/auth",
        "/auth/",
        "/auth/v1",
        "/auth/v1/users/1",
        "/auth/v2/users",
    ] {
        app.get(path).await.expect_problem(404, "not-found");
    }
    app.finish().await;
}

#[actix_web::test]
async fn every_answer_carries_the_security_headers() {
    let app = TestApp::start().await;
    let answers = [
        app.get("/auth/.well-known/jwks.json").await,
        app.get("/auth/docs/").await,
        app.get("/auth/v1/me").await,
        app.get("/auth/nowhere").await,
        app.register(EMAIL, PASSWORD).await,
        app.post_raw("/auth/v1/users", JSON, "x".repeat(9000)).await,
    ];
    for answer in &answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    app.mails(EMAIL, 1).await;
    app.finish().await;
}
