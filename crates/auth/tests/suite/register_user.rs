use kernel::Role;
use serde_json::json;

use crate::harness::{EMAIL, NAME, PASSWORD, TestApp};

const OTHER_PASSWORD: &str = "a wholly different passphrase";

#[actix_web::test]
async fn a_person_registers_confirms_logs_in_and_sees_who_they_are() {
    let app = TestApp::start().await;
    let answer = app.register(" Ada@Example.com", PASSWORD).await;
    assert_eq!(answer.expect(202), json!({}));

    let mail = app.mails(EMAIL, 1).await.remove(0);
    let token = mail.token.unwrap();
    assert!(mail.text.contains(&token));
    assert!(
        mail.text.contains(&app.origin),
        "links come from the configuration"
    );

    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(403, "email-unverified");
    app.confirm(&token).await.expect(204);

    let session = app.log_in(EMAIL, PASSWORD).await.expect(201);
    let access_token = session["access_token"].as_str().unwrap();
    let me = app.me(&format!("Bearer {access_token}")).await.expect(200);
    assert_eq!(me["email"], EMAIL);
    assert_eq!(me["name"], NAME);
    assert_eq!(me["roles"], json!(["customer"]));
    assert_eq!(me["email_verified"], true);
    app.finish().await;
}

#[actix_web::test]
async fn a_taken_address_gets_the_same_answer_and_its_owner_a_mail() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let taken = app.register(EMAIL, OTHER_PASSWORD).await;
    let free = app.register("bob@example.com", OTHER_PASSWORD).await;
    assert_eq!(taken.status, 202);
    assert_eq!(taken.body, free.body);

    let mail = app.mails(EMAIL, 1).await.remove(0);
    assert_eq!(mail.subject, "You have an account already");
    assert_eq!(mail.token, None);
    app.mails("bob@example.com", 1).await;
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.log_in(EMAIL, OTHER_PASSWORD)
        .await
        .expect_problem(401, "invalid-credentials");
    app.finish().await;
}

/// Someone registers an address before its owner does, and again after it: neither password
/// becomes the account's when the owner confirms the mail that they asked for.
#[actix_web::test]
async fn registering_anothers_address_beforehand_gains_nothing() {
    let app = TestApp::start().await;
    app.register(EMAIL, OTHER_PASSWORD).await.expect(202);
    let attackers = app.mails(EMAIL, 1).await.remove(0).token.unwrap();
    app.register(EMAIL, PASSWORD).await.expect(202);
    let owners = app.mails(EMAIL, 2).await.remove(0).token.unwrap();
    app.register(EMAIL, OTHER_PASSWORD).await.expect(202);
    app.mails(EMAIL, 3).await;

    app.confirm(&owners).await.expect(204);
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.log_in(EMAIL, OTHER_PASSWORD)
        .await
        .expect_problem(401, "invalid-credentials");
    app.confirm(&attackers)
        .await
        .expect_problem(400, "invalid-mail-token");
    assert_eq!(app.store.count("email_verifications").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let app = TestApp::start().await;
    let body = json!({"email": "ada", "password": "short", "name": " "});
    let problem = app
        .post("/auth/v1/users", body)
        .await
        .expect_problem(422, "validation");
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["field"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("email", "invalid"),
            ("name", "invalid"),
            ("password", "too-short")
        ]
    );
    assert_eq!(app.store.count("users").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn neither_password_nor_token_nor_address_is_stored_or_sent_in_the_clear() {
    let app = TestApp::start().await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    let token = app.mails(EMAIL, 1).await.remove(0).token.unwrap();

    let event: String = app.store.scalar("SELECT body FROM outbox").await;
    for secret in [EMAIL, PASSWORD, token.as_str()] {
        assert!(!event.contains(secret), "{event}");
    }
    let stored: Vec<u8> = app
        .store
        .scalar("SELECT token_hash FROM email_verifications")
        .await;
    assert_eq!(stored.len(), 32, "SHA-256");
    let hash: String = app.store.scalar("SELECT password_hash FROM users").await;
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    app.finish().await;
}
