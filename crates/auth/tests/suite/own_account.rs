//! What people change about their own account: name, password, address.

use chrono::TimeDelta;
use kernel::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, EMAIL, NAME, PASSWORD, TestApp};

const NEW_EMAIL: &str = "ada.king@example.com";
const NEW_PASSWORD: &str = "the plumb line hangs straight";

fn bearer(session: &Value) -> String {
    format!("Bearer {}", session["access_token"].as_str().unwrap())
}

async fn change_password(app: &TestApp, session: &Value, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    app.send_json_as(Method::PUT, "/auth/v1/me/password", &bearer(session), body)
        .await
}

async fn request_email(app: &TestApp, session: &Value, email: &str) -> Answer {
    let body = json!({"email": email});
    app.send_json_as(Method::POST, "/auth/v1/me/email", &bearer(session), body)
        .await
}

async fn confirm_email(app: &TestApp, token: &str) -> Answer {
    app.post("/auth/v1/email-changes/confirm", json!({"token": token}))
        .await
}

async fn two_sessions(app: &TestApp) -> (Value, Value) {
    let other = app.seed_and_log_in().await;
    (app.log_in(EMAIL, PASSWORD).await.expect(201), other)
}

async fn assert_only_the_first_lives(app: &TestApp, (first, other): &(Value, Value)) {
    app.me(&bearer(first)).await.expect(200);
    app.me(&bearer(other))
        .await
        .expect_problem(401, "invalid-token");
    app.refresh(other["refresh_token"].as_str().unwrap())
        .await
        .expect_problem(401, "refresh-invalid");
}

#[actix_web::test]
async fn a_new_password_ends_the_other_sessions_and_is_told() {
    let app = TestApp::start().await;
    let sessions = two_sessions(&app).await;
    change_password(&app, &sessions.0, PASSWORD, NEW_PASSWORD)
        .await
        .expect(204);
    assert_only_the_first_lives(&app, &sessions).await;
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(401, "invalid-credentials");
    app.log_in(EMAIL, NEW_PASSWORD).await.expect(201);
    let told = app.mails(EMAIL, 1).await.remove(0);
    assert_eq!(told.subject, "Your password was changed");
    app.finish().await;
}

#[actix_web::test]
async fn a_password_is_not_changed_without_the_present_one() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    for (current, new, field, code) in [
        (
            "wrong password, but long",
            NEW_PASSWORD,
            "current_password",
            "wrong-password",
        ),
        ("", NEW_PASSWORD, "current_password", "wrong-password"),
        (PASSWORD, "short", "new_password", "too-short"),
        (
            PASSWORD,
            "plumbline-ada-1",
            "new_password",
            "too-predictable",
        ),
    ] {
        let problem = change_password(&app, &session, current, new)
            .await
            .expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], field);
        assert_eq!(problem["errors"][0]["code"], code);
    }
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn a_new_password_calls_off_what_an_intruder_began() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    app.post("/auth/v1/password-resets", json!({"email": EMAIL}))
        .await
        .expect(202);
    let reset = app.mails(EMAIL, 1).await.remove(0).token.unwrap();
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let change = app.mails(NEW_EMAIL, 1).await.remove(0).token.unwrap();
    change_password(&app, &session, PASSWORD, NEW_PASSWORD)
        .await
        .expect(204);
    confirm_email(&app, &change)
        .await
        .expect_problem(400, "invalid-mail-token");
    let body = json!({"token": reset, "password": PASSWORD});
    app.post("/auth/v1/password-resets/confirm", body)
        .await
        .expect_problem(400, "invalid-mail-token");
    app.finish().await;
}

#[actix_web::test]
async fn credentials_are_changed_only_after_a_recent_log_in() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    app.clock
        .advance(TimeDelta::minutes(5) + TimeDelta::seconds(1));
    for answer in [
        change_password(&app, &session, PASSWORD, NEW_PASSWORD).await,
        request_email(&app, &session, NEW_EMAIL).await,
    ] {
        answer.expect_problem(401, "step-up-required");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_name_can_be_changed_and_nothing_else_with_it() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let rename = async |body: Value| {
        app.send_json_as(Method::PATCH, "/auth/v1/me", &bearer(&session), body)
            .await
    };
    let profile = rename(json!({"name": " Ada King "})).await.expect(200);
    assert_eq!(profile["name"], "Ada King");
    let read = app.me(&bearer(&session)).await.expect(200);
    assert_eq!(read, profile);
    for body in [
        json!({"name": ""}),
        json!({"name": "x".repeat(101)}),
        json!({"name": "Ada\nBcc: x"}),
        json!({"name": "Ada", "role": "admin"}),
        json!({"name": "Ada", "roles": ["admin"]}),
        json!({"name": "Ada", "email": NEW_EMAIL}),
        json!({"name": "Ada", "email_verified": true}),
        json!({}),
    ] {
        rename(body).await.expect_problem(422, "validation");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_new_address_counts_once_it_is_confirmed() {
    let app = TestApp::start().await;
    let sessions = two_sessions(&app).await;
    request_email(&app, &sessions.0, NEW_EMAIL)
        .await
        .expect(202);
    let told = app.mails(EMAIL, 1).await.remove(0);
    assert!(told.text.contains(NEW_EMAIL) && told.token.is_none());
    let asked = app.mails(NEW_EMAIL, 1).await.remove(0);
    assert!(!asked.text.contains(NAME), "a stranger may have chosen it");
    app.log_in(EMAIL, PASSWORD).await.expect(201);

    confirm_email(&app, &asked.token.unwrap()).await.expect(204);
    assert_only_the_first_lives(&app, &sessions).await;
    let told = app.mails(EMAIL, 2).await.remove(0);
    assert_eq!(told.subject, "Your e-mail address was changed");
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(401, "invalid-credentials");
    let session = app.log_in(NEW_EMAIL, PASSWORD).await.expect(201);
    let profile = app.me(&bearer(&session)).await.expect(200);
    assert_eq!(profile["email"], NEW_EMAIL);
    app.finish().await;
}

#[actix_web::test]
async fn a_mail_to_the_former_address_opens_nothing_any_more() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    app.post("/auth/v1/password-resets", json!({"email": EMAIL}))
        .await
        .expect(202);
    let reset = app.mails(EMAIL, 1).await.remove(0).token.unwrap();
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let change = app.mails(NEW_EMAIL, 1).await.remove(0).token.unwrap();
    confirm_email(&app, &change).await.expect(204);
    let body = json!({"token": reset, "password": NEW_PASSWORD});
    app.post("/auth/v1/password-resets/confirm", body)
        .await
        .expect_problem(400, "invalid-mail-token");
    app.mails(EMAIL, 3).await;
    app.finish().await;
}

#[actix_web::test]
async fn the_token_of_a_new_address_works_once_for_a_day_and_only_the_last() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let older = app.mails(NEW_EMAIL, 1).await.remove(0).token.unwrap();
    // A request that is no more, or has expired, is not told of.
    app.mails(EMAIL, 1).await;
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let newer = app.mails(NEW_EMAIL, 2).await.remove(0).token.unwrap();
    app.mails(EMAIL, 2).await;
    let refused = async |token: &str| {
        confirm_email(&app, token)
            .await
            .expect_problem(400, "invalid-mail-token");
    };
    refused(&older).await;
    app.clock.advance(TimeDelta::hours(24));
    refused(&newer).await;
    let session = app.log_in(EMAIL, PASSWORD).await.expect(201);
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let token = app.mails(NEW_EMAIL, 3).await.remove(0).token.unwrap();
    confirm_email(&app, &token).await.expect(204);
    refused(&token).await;
    app.mails(EMAIL, 4).await;
    app.finish().await;
}

/// The answer is the same; only the address's owner learns of it, by mail.
#[actix_web::test]
async fn nobody_learns_by_asking_whether_an_address_has_an_account() {
    let app = TestApp::start().await;
    app.seed("bob@example.com", Role::Customer).await;
    let session = app.seed_and_log_in().await;
    let taken = request_email(&app, &session, "bob@example.com").await;
    app.mails(EMAIL, 1).await;
    let free = request_email(&app, &session, NEW_EMAIL).await;
    assert_eq!((taken.status, &taken.body), (free.status, &free.body));
    assert_eq!(taken.headers.len(), free.headers.len());
    let told = app.mails("bob@example.com", 1).await.remove(0);
    assert_eq!(told.token, None);
    let unchanged = request_email(&app, &session, EMAIL).await;
    let problem = unchanged.expect_problem(422, "validation");
    assert_eq!(problem["errors"][0]["code"], "unchanged");
    app.mails(NEW_EMAIL, 1).await;
    app.mails(EMAIL, 2).await;
    app.finish().await;
}

#[actix_web::test]
async fn an_address_that_was_taken_meanwhile_is_refused_to_whoever_reads_its_mail() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let token = app.mails(NEW_EMAIL, 1).await.remove(0).token.unwrap();
    app.seed(NEW_EMAIL, Role::Customer).await;
    confirm_email(&app, &token)
        .await
        .expect_problem(409, "email-taken");
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.mails(EMAIL, 1).await;
    app.finish().await;
}

/// Registering another person's address beforehand gains nothing.
#[actix_web::test]
async fn a_registration_that_nobody_confirmed_gives_way() {
    let app = TestApp::start().await;
    app.register(NEW_EMAIL, "a squatter's long password")
        .await
        .expect(202);
    let squatters = app.mails(NEW_EMAIL, 1).await.remove(0).token.unwrap();
    let session = app.seed_and_log_in().await;
    request_email(&app, &session, NEW_EMAIL).await.expect(202);
    let token = app.mails(NEW_EMAIL, 2).await.remove(0).token.unwrap();
    confirm_email(&app, &token).await.expect(204);
    app.confirm(&squatters)
        .await
        .expect_problem(400, "invalid-mail-token");
    app.log_in(NEW_EMAIL, PASSWORD).await.expect(201);
    app.mails(EMAIL, 2).await;
    app.finish().await;
}

#[actix_web::test]
async fn opening_the_link_to_a_new_address_confirms_nothing() {
    let app = TestApp::start().await;
    let page = app.get("/auth/confirm-email-change").await;
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'; script-src 'self'"));
    let script = app.get("/auth/confirm-email-change.js").await;
    assert!(script.text().contains("v1/email-changes/confirm"));
    app.finish().await;
}
