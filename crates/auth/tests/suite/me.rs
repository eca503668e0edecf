use chrono::TimeDelta;

use crate::harness::TestApp;

#[actix_web::test]
async fn nobody_is_seen_without_a_token() {
    let app = TestApp::start().await;
    let answer = app.get("/auth/v1/me").await;
    answer.expect_problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    for authorization in ["Basic YWRhOnB3", "Bearer", "token abc", ""] {
        app.me(authorization)
            .await
            .expect_problem(401, "unauthenticated");
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_bad_or_expired_token_is_refused() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let token = session["access_token"].as_str().unwrap();
    app.me(&format!("bearer  {token}")).await.expect(200);
    for bad in [
        "abc",
        "a.b.c",
        &token[1..],
        session["refresh_token"].as_str().unwrap(),
    ] {
        let answer = app.me(&format!("Bearer {bad}")).await;
        answer.expect_problem(401, "invalid-token");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, "Bearer error=\"invalid_token\"");
    }
    app.clock.advance(TimeDelta::seconds(605));
    app.me(&format!("Bearer {token}"))
        .await
        .expect_problem(401, "invalid-token");
    app.finish().await;
}

#[actix_web::test]
async fn the_token_of_a_disabled_or_deleted_account_shows_nothing() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let authorization = format!("Bearer {}", session["access_token"].as_str().unwrap());
    for statement in [
        "UPDATE users SET disabled_at = created_at",
        "DELETE FROM users",
    ] {
        app.store.execute(statement).await;
        app.me(&authorization)
            .await
            .expect_problem(401, "invalid-token");
    }
    app.finish().await;
}
