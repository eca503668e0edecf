//! What one can take along, and that nothing stays behind.

use chrono::TimeDelta;
use kernel::{Clock as _, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, EMAIL, NAME, PASSWORD, TestApp};

fn bearer(session: &Value) -> String {
    format!("Bearer {}", session["access_token"].as_str().unwrap())
}

async fn delete(app: &TestApp, session: &Value) -> Answer {
    app.send_as(Method::DELETE, "/auth/v1/me", &bearer(session))
        .await
}

async fn export(app: &TestApp, session: &Value) -> Answer {
    app.send_as(Method::GET, "/auth/v1/me/export", &bearer(session))
        .await
}

#[actix_web::test]
async fn a_deleted_account_tells_nobody_who_it_was() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let other = app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.post("/auth/v1/password-resets", json!({"email": EMAIL}))
        .await
        .expect(202);
    let reset = app.mails(EMAIL, 1).await.remove(0).token.unwrap();
    delete(&app, &session).await.expect(204);

    for session in [&session, &other] {
        app.me(&bearer(session))
            .await
            .expect_problem(401, "invalid-token");
        app.refresh(session["refresh_token"].as_str().unwrap())
            .await
            .expect_problem(401, "refresh-invalid");
    }
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(401, "invalid-credentials");
    let body = json!({"token": reset, "password": "the plumb line hangs straight"});
    app.post("/auth/v1/password-resets/confirm", body)
        .await
        .expect_problem(400, "invalid-mail-token");
    for (question, expected) in [
        ("SELECT COUNT(*) FROM users WHERE deleted_at IS NOT NULL", 1),
        (
            "SELECT COUNT(*) FROM users WHERE password_hash IS NOT NULL",
            0,
        ),
        ("SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL", 0),
        ("SELECT COUNT(*) FROM sessions WHERE device IS NOT NULL", 0),
        ("SELECT COUNT(*) FROM sessions WHERE ip IS NOT NULL", 0),
        ("SELECT COUNT(*) FROM password_resets", 0),
    ] {
        assert_eq!(
            app.store.scalar::<i64>(question).await,
            expected,
            "{question}"
        );
    }
    let address: String = app.store.scalar("SELECT email FROM users").await;
    assert!(address.ends_with("@deleted.invalid"), "{address}");
    let name: String = app.store.scalar("SELECT name FROM users").await;
    assert_ne!(name, NAME);
    let told = app.mails(EMAIL, 2).await.remove(0);
    assert_eq!(told.subject, "Your account was deleted");
    app.finish().await;
}

#[actix_web::test]
async fn the_address_of_a_deleted_account_can_be_registered_anew() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    delete(&app, &session).await.expect(204);
    app.register(EMAIL, PASSWORD).await.expect(202);
    let token = app.mails(EMAIL, 2).await.remove(0).token.unwrap();
    app.confirm(&token).await.expect(204);
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    assert_eq!(app.store.count("users").await, 2);
    app.finish().await;
}

#[actix_web::test]
async fn the_last_admin_stays() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Admin).await;
    let session = app.log_in(EMAIL, PASSWORD).await.expect(201);
    delete(&app, &session)
        .await
        .expect_problem(409, "last-admin");
    app.seed("eve@example.com", Role::Admin).await;
    delete(&app, &session).await.expect(204);
    let other = app.log_in("eve@example.com", PASSWORD).await.expect(201);
    delete(&app, &other).await.expect_problem(409, "last-admin");
    app.mails(EMAIL, 1).await;
    app.finish().await;
}

#[actix_web::test]
async fn an_account_ends_and_is_exported_only_after_a_recent_log_in() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    app.clock
        .advance(TimeDelta::minutes(5) + TimeDelta::seconds(1));
    for answer in [delete(&app, &session).await, export(&app, &session).await] {
        answer.expect_problem(401, "step-up-required");
    }
    app.finish().await;
}

#[actix_web::test]
async fn an_export_has_everything_and_no_secret() {
    let app = TestApp::start().await;
    app.seed("bob@example.com", Role::Customer).await;
    app.log_in("bob@example.com", PASSWORD).await.expect(201);
    let session = app.seed_and_log_in().await;
    let key = json!({
        "name": "stock report",
        "scopes": ["orders:read"],
        "expires_at": app.clock.now() + TimeDelta::days(30),
    });
    let path = "/auth/v1/me/api-keys";
    let key = app
        .send_json_as(Method::POST, path, &bearer(&session), key)
        .await
        .expect(201);
    let answer = export(&app, &session).await;
    let data = answer.expect(200);
    assert!(
        answer
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(data["profile"]["email"], EMAIL);
    assert_eq!(data["sessions"].as_array().unwrap().len(), 1);
    let events = data["audit_events"].as_array().unwrap();
    let log_in = |event: &&Value| event["action"] == "session.created";
    assert_eq!(events.iter().find(log_in).unwrap()["by_account"], true);
    assert_eq!(data["audit_events_complete"], true);
    let text = answer.text();
    assert_eq!(data["api_keys"][0]["name"], "stock report");
    for secret in [
        key["key"].as_str().unwrap(),
        "argon2",
        "bob@example.com",
        "hash",
        "token",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let again = export(&app, &session).await.expect(200);
    let events = again["audit_events"].as_array().unwrap();
    let exported = |event: &Value| event["action"] == "user.data-exported";
    assert_eq!(events.iter().filter(|event| exported(event)).count(), 1);
    app.finish().await;
}

/// A table that is added later must be thought of, too.
#[actix_web::test]
async fn every_table_that_names_a_user_is_emptied() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let tables = app.store.tables_with_column("user_id").await;
    assert!(tables.len() > 10, "{tables:?}");
    delete(&app, &session).await.expect(204);
    let source = include_str!("../../src/store/personal_data.rs");
    for table in tables.iter().filter(|table| *table != "sessions") {
        assert!(source.contains(&format!("\"{table}\"")), "{table}");
    }
    app.mails(EMAIL, 1).await;
    app.finish().await;
}
