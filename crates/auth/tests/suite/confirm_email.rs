use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::harness::{EMAIL, PASSWORD, TestApp};

async fn registered(app: &TestApp) -> String {
    app.register(EMAIL, PASSWORD).await.expect(202);
    app.mails(EMAIL, 1).await.remove(0).token.unwrap()
}

#[actix_web::test]
async fn a_token_works_once_however_many_present_it() {
    let app = TestApp::start().await;
    let token = registered(&app).await;
    let answers = join_all((0..20).map(|_| app.confirm(&token))).await;
    let confirmed = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!(confirmed, 1);
    for refused in answers.iter().filter(|answer| answer.status != 204) {
        refused.expect_problem(400, "invalid-mail-token");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_token_works_for_a_day() {
    let app = TestApp::start().await;
    let token = registered(&app).await;
    app.clock.advance(TimeDelta::hours(24));
    app.confirm(&token)
        .await
        .expect_problem(400, "invalid-mail-token");
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(403, "email-unverified");

    app.register(EMAIL, PASSWORD).await.expect(202);
    let token = app.mails(EMAIL, 2).await.remove(0).token.unwrap();
    app.clock
        .advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    app.confirm(&token).await.expect(204);
    app.finish().await;
}

#[actix_web::test]
async fn guessed_tokens_are_refused() {
    let app = TestApp::start().await;
    let token = registered(&app).await;
    let padded = format!("{token}=");
    for guess in [
        "",
        "x",
        &"A".repeat(43),
        &padded,
        &token[1..],
        "\u{0}",
        "💣",
    ] {
        app.confirm(guess)
            .await
            .expect_problem(400, "invalid-mail-token");
    }
    app.confirm(&token).await.expect(204);
    app.finish().await;
}

#[actix_web::test]
async fn opening_the_mails_link_confirms_nothing() {
    let app = TestApp::start().await;
    let token = registered(&app).await;
    let page = app.get("/auth/confirm-email").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .contains("script-src 'self'")
    );
    app.get("/auth/confirm-email.js").await.expect(200);
    app.get(&format!(
        "/auth/v1/email-verifications/confirm?token={token}"
    ))
    .await
    .expect_problem(405, "method-not-allowed");
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(403, "email-unverified");
    app.finish().await;
}

#[actix_web::test]
async fn the_mail_of_a_registration_can_be_sent_again() {
    let app = TestApp::start().await;
    registered(&app).await;
    app.clock.advance(TimeDelta::hours(25));
    let body = serde_json::json!({"email": EMAIL});
    let answer = app.post("/auth/v1/email-verifications", body.clone()).await;
    assert_eq!(answer.expect(202), serde_json::json!({}));
    let token = app.mails(EMAIL, 2).await.remove(0).token.unwrap();
    app.confirm(&token).await.expect(204);
    app.log_in(EMAIL, PASSWORD).await.expect(201);

    // There is nothing to confirm any more, and nobody to write to.
    let nobody = serde_json::json!({"email": "nobody@example.com"});
    for body in [body, nobody] {
        let answer = app.post("/auth/v1/email-verifications", body).await;
        assert_eq!(answer.expect(202), serde_json::json!({}));
    }
    app.register("bob@example.com", PASSWORD).await.expect(202);
    app.mails("bob@example.com", 1).await;
    assert_eq!(app.mailbox.mails(Some(EMAIL)).len(), 2);
    app.finish().await;
}
