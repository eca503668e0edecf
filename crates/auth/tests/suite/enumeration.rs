//! Nobody learns from an answer whether an address has an account (ASVS 5.0, 6.3.8).

use kernel::Role;
use serde_json::json;

use crate::harness::{Answer, EMAIL, PASSWORD, TestApp};

/// Status, headers and body, without what differs between any two answers.
fn comparable(answer: &Answer) -> String {
    let request_id = answer.header("x-request-id");
    assert!(!request_id.is_empty());
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let whole = format!("{}\n{}\n{}", answer.status, headers.concat(), answer.text());
    whole.replace(request_id, "<request id>")
}

/// One account in each state; the password of all that have one is `PASSWORD`.
pub async fn accounts(app: &TestApp) -> [&'static str; 7] {
    let addresses = [
        "verified@example.com",
        "unverified@example.com",
        "disabled@example.com",
        "passwordless@example.com",
        "second-factor@example.com",
        "deleted@example.com",
        "nobody@example.com",
    ];
    for address in addresses.iter().take(6) {
        app.seed(address, Role::Customer).await;
    }
    for arrange in [
        "UPDATE users SET email_verified_at = NULL WHERE email = 'unverified@example.com'",
        "UPDATE users SET disabled_at = created_at WHERE email = 'disabled@example.com'",
        "UPDATE users SET password_hash = NULL WHERE email = 'passwordless@example.com'",
        "INSERT INTO totp_credentials (user_id, secret, confirmed_at, created_at) \
         SELECT id, 'sealed', created_at, created_at FROM users \
         WHERE email = 'second-factor@example.com'",
        "UPDATE users SET email = 'gone@deleted.invalid', password_hash = NULL, \
         disabled_at = created_at, deleted_at = created_at WHERE email = 'deleted@example.com'",
    ] {
        app.store.execute(arrange).await;
    }
    addresses
}

#[actix_web::test]
async fn a_failed_log_in_is_the_same_answer_whatever_the_account() {
    let app = TestApp::start().await;
    let addresses = accounts(&app).await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        for address in addresses {
            for password in ["wrong password, but long", "", "short", &"x".repeat(5000)] {
                answers.push(app.log_in(address, password).await);
            }
        }
    }
    // Without a password every password is wrong.
    for address in [
        "passwordless@example.com",
        "deleted@example.com",
        "nobody@example.com",
    ] {
        answers.push(app.log_in(address, PASSWORD).await);
    }
    answers[0].expect_problem(401, "invalid-credentials");
    let first = comparable(&answers[0]);
    for answer in &answers {
        assert_eq!(comparable(answer), first);
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_registration_is_the_same_answer_whatever_the_account() {
    let app = TestApp::start().await;
    let addresses = accounts(&app).await;
    let mut answers = Vec::new();
    for address in addresses {
        answers.push(app.register(address, PASSWORD).await);
    }
    answers.push(app.register(EMAIL, PASSWORD).await);
    let first = comparable(&answers[0]);
    for answer in &answers {
        assert_eq!(answer.status, 202);
        assert_eq!(comparable(answer), first);
    }
    for address in addresses {
        app.mails(address, 1).await;
    }
    app.mails(EMAIL, 1).await;
    app.finish().await;
}

#[actix_web::test]
async fn asking_for_a_mail_is_the_same_answer_whatever_the_account() {
    let app = TestApp::start().await;
    let addresses = accounts(&app).await;
    for path in ["/auth/v1/password-resets", "/auth/v1/email-verifications"] {
        let mut answers = Vec::new();
        for _ in 0..2 {
            for address in addresses {
                answers.push(app.post(path, json!({"email": address})).await);
            }
        }
        let first = comparable(&answers[0]);
        for answer in &answers {
            assert_eq!(answer.status, 202);
            assert_eq!(comparable(answer), first);
        }
    }
    app.finish().await;
}
