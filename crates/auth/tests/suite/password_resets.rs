//! A forgotten password: the mail's token replaces it, once, and that is all it does.

use std::{num::NonZeroUsize, time::Duration};

use auth::HashPoolConfig;
use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::Role;
use serde_json::json;

use crate::harness::{Answer, EMAIL, Options, PASSWORD, TestApp};

const NEW: &str = "the plumb line hangs straight";

async fn request(app: &TestApp, email: &str) {
    let answer = app
        .post("/auth/v1/password-resets", json!({"email": email}))
        .await;
    assert_eq!(answer.expect(202), json!({}));
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    app.post("/auth/v1/password-resets/confirm", body).await
}

/// The token of the newest of `mails` to the account.
async fn token(app: &TestApp, mails: usize) -> String {
    request(app, EMAIL).await;
    app.mails(EMAIL, mails).await.remove(0).token.unwrap()
}

#[actix_web::test]
async fn a_reset_replaces_the_password_and_ends_every_session() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let token = token(&app, 1).await;
    let answer = reset(&app, &token, NEW).await;
    assert_eq!(answer.status, 204);
    assert!(answer.headers.get("set-cookie").is_none() && answer.body.is_empty());

    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(401, "invalid-credentials");
    let access = session["access_token"].as_str().unwrap();
    app.me(&format!("Bearer {access}"))
        .await
        .expect_problem(401, "invalid-token");
    app.refresh(session["refresh_token"].as_str().unwrap())
        .await
        .expect_problem(401, "refresh-invalid");
    app.log_in(EMAIL, NEW).await.expect(201);

    let told = &app.mails(EMAIL, 2).await[0];
    assert_eq!(told.subject, "Your password was changed");
    assert_eq!(told.token, None);
    for action in ["user.password-reset-requested", "user.password-reset"] {
        let count = format!("SELECT COUNT(*) FROM audit_events WHERE action = '{action}'");
        assert_eq!(app.store.scalar::<i64>(&count).await, 1, "{action}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_token_works_once_however_many_present_it() {
    let options = Options {
        hash_pool: HashPoolConfig {
            permits: NonZeroUsize::MIN,
            max_queued: 64,
            max_wait: Duration::from_secs(60),
        },
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    app.seed(EMAIL, Role::Customer).await;
    let token = token(&app, 1).await;
    let answers = join_all((0..20).map(|_| reset(&app, &token, NEW))).await;
    let changed = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!(changed, 1);
    for refused in answers.iter().filter(|answer| answer.status != 204) {
        refused.expect_problem(400, "invalid-mail-token");
    }
    app.mails(EMAIL, 2).await;
    app.finish().await;
}

#[actix_web::test]
async fn a_token_works_for_half_an_hour() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let late = token(&app, 1).await;
    app.clock.advance(TimeDelta::minutes(30));
    reset(&app, &late, NEW)
        .await
        .expect_problem(400, "invalid-mail-token");
    let token = token(&app, 2).await;
    app.clock
        .advance(TimeDelta::minutes(30) - TimeDelta::seconds(1));
    reset(&app, &token, NEW).await.expect(204);
    app.mails(EMAIL, 3).await;
    app.finish().await;
}

#[actix_web::test]
async fn a_new_request_voids_the_older_mail() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let older = token(&app, 1).await;
    let newer = token(&app, 2).await;
    reset(&app, &older, NEW)
        .await
        .expect_problem(400, "invalid-mail-token");
    reset(&app, &newer, NEW).await.expect(204);
    app.mails(EMAIL, 3).await;
    app.finish().await;
}

#[actix_web::test]
async fn a_password_that_is_refused_leaves_the_token_good() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let token = token(&app, 1).await;
    for (password, code) in [
        ("short", "too-short"),
        ("passwordpassword", "too-common"),
        ("ada@example.com1", "too-predictable"),
    ] {
        let problem = reset(&app, &token, password)
            .await
            .expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], "password");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    reset(&app, &token, NEW).await.expect(204);
    app.mails(EMAIL, 2).await;
    app.finish().await;
}

#[actix_web::test]
async fn guessed_tokens_and_those_of_other_mails_are_refused() {
    let app = TestApp::start().await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    let verification = app.mails(EMAIL, 1).await.remove(0).token.unwrap();
    for guess in ["", "x", &"A".repeat(43), "\u{0}", &verification] {
        reset(&app, guess, NEW)
            .await
            .expect_problem(400, "invalid-mail-token");
    }
    app.confirm(&verification).await.expect(204);
    app.finish().await;
}

#[actix_web::test]
async fn only_an_account_in_use_gets_a_mail() {
    let app = TestApp::start().await;
    for address in ["unverified@example.com", "disabled@example.com", EMAIL] {
        app.seed(address, Role::Customer).await;
    }
    for arrange in [
        "UPDATE users SET email_verified_at = NULL WHERE email = 'unverified@example.com'",
        "UPDATE users SET disabled_at = created_at WHERE email = 'disabled@example.com'",
    ] {
        app.store.execute(arrange).await;
    }
    let others = [
        "unverified@example.com",
        "disabled@example.com",
        "nobody@example.com",
    ];
    for address in others {
        request(&app, address).await;
    }
    // Mails leave in the order of their requests: after this one the others would be there.
    token(&app, 1).await;
    for address in others {
        assert!(app.mailbox.mails(Some(address)).is_empty(), "{address}");
    }
    assert_eq!(app.store.count("password_resets").await, 1);
    assert_eq!(app.store.count("outbox").await, 4);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_disabled_after_the_mail_stays_as_it_is() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let token = token(&app, 1).await;
    app.store
        .execute("UPDATE users SET disabled_at = created_at")
        .await;
    reset(&app, &token, NEW)
        .await
        .expect_problem(400, "invalid-mail-token");
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(403, "account-disabled");
    app.finish().await;
}

#[actix_web::test]
async fn who_logs_in_elsewhere_gets_a_password_by_a_reset() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    app.store
        .execute("UPDATE users SET password_hash = NULL")
        .await;
    let token = token(&app, 1).await;
    reset(&app, &token, NEW).await.expect(204);
    app.log_in(EMAIL, NEW).await.expect(201);
    app.mails(EMAIL, 2).await;
    app.finish().await;
}

#[actix_web::test]
async fn opening_the_mails_link_changes_nothing() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let token = token(&app, 1).await;
    let page = app
        .get(&format!("/auth/reset-password?token={token}"))
        .await;
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'; script-src 'self'"));
    let script = app.get("/auth/reset-password.js").await;
    assert!(script.text().contains("v1/password-resets/confirm"));
    app.get("/auth/v1/password-resets/confirm")
        .await
        .expect_problem(405, "method-not-allowed");
    reset(&app, &token, NEW).await.expect(204);
    app.mails(EMAIL, 2).await;
    app.finish().await;
}

#[actix_web::test]
async fn neither_outbox_nor_database_has_the_token() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let token = token(&app, 1).await;
    let body: String = app.store.scalar("SELECT body FROM outbox").await;
    assert!(!body.contains(&token) && !body.contains(EMAIL), "{body}");
    let stored: Vec<u8> = app
        .store
        .scalar("SELECT token_hash FROM password_resets")
        .await;
    assert_eq!(stored.len(), 32);
    app.finish().await;
}
