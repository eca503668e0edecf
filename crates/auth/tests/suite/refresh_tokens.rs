use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::Value;

use crate::harness::{EMAIL, TestApp};

fn refresh_token(session: &Value) -> String {
    session["refresh_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn every_refresh_gives_new_tokens_of_the_same_session() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let mut token = refresh_token(&session);
    for _ in 0..3 {
        app.clock.advance(TimeDelta::minutes(10));
        let answer = app.refresh(&token).await;
        let refreshed = answer.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(refreshed["session_id"], session["session_id"]);
        assert_ne!(refresh_token(&refreshed), token);
        let access_token = refreshed["access_token"].as_str().unwrap();
        app.me(&format!("Bearer {access_token}")).await.expect(200);
        token = refresh_token(&refreshed);
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_lost_answer_is_given_again_for_ten_seconds() {
    let app = TestApp::start().await;
    let first = refresh_token(&app.seed_and_log_in().await);
    let successor = refresh_token(&app.refresh(&first).await.expect(200));
    app.clock.advance(TimeDelta::seconds(10));
    let again = refresh_token(&app.refresh(&first).await.expect(200));
    assert_eq!(again, successor);
    app.refresh(&successor).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn a_token_used_twice_ends_the_session_for_thief_and_victim() {
    let app = TestApp::start().await;
    let stolen = refresh_token(&app.seed_and_log_in().await);
    let victims = refresh_token(&app.refresh(&stolen).await.expect(200));
    app.clock.advance(TimeDelta::seconds(11));
    app.refresh(&stolen)
        .await
        .expect_problem(401, "refresh-reused");
    for token in [&stolen, &victims] {
        app.refresh(token)
            .await
            .expect_problem(401, "refresh-invalid");
    }
    let mail = app.mails(EMAIL, 1).await.remove(0);
    assert_eq!(mail.subject, "We ended one of your sessions");
    app.finish().await;
}

#[actix_web::test]
async fn twenty_refreshes_at_once_give_one_successor() {
    let app = TestApp::start().await;
    let token = refresh_token(&app.seed_and_log_in().await);
    let answers = join_all((0..20).map(|_| app.refresh(&token))).await;
    let (granted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    // One rotates, five are told the same again; more than that is no lost answer.
    assert_eq!(granted.len(), 6);
    let successor = refresh_token(&granted[0].expect(200));
    for answer in granted {
        assert_eq!(refresh_token(&answer.expect(200)), successor);
    }
    let reused = refused
        .iter()
        .filter(|answer| answer.expect(401)["code"] == "refresh-reused");
    assert_eq!(
        reused.count(),
        1,
        "one finds it out, the others find it revoked"
    );
    assert_eq!(app.store.count("refresh_tokens").await, 2);
    app.mails(EMAIL, 1).await;
    app.finish().await;
}

#[actix_web::test]
async fn an_idle_session_ends_after_a_week_and_any_session_after_thirty_days() {
    let app = TestApp::start().await;
    let idle = refresh_token(&app.seed_and_log_in().await);
    let mut busy = refresh_token(&app.seed_and_log_in().await);
    for _ in 0..4 {
        app.clock
            .advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        busy = refresh_token(&app.refresh(&busy).await.expect(200));
    }
    app.refresh(&idle)
        .await
        .expect_problem(401, "refresh-invalid");
    app.clock
        .advance(TimeDelta::days(2) + TimeDelta::seconds(4));
    app.refresh(&busy)
        .await
        .expect_problem(401, "refresh-invalid");
    app.finish().await;
}

#[actix_web::test]
async fn noise_and_the_tokens_of_the_disabled_are_refused() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let access_token = session["access_token"].as_str().unwrap();
    for noise in ["", "x", &"A".repeat(43), access_token, "\u{0}", "💣"] {
        app.refresh(noise)
            .await
            .expect_problem(401, "refresh-invalid");
    }
    app.store
        .execute("UPDATE users SET disabled_at = created_at")
        .await;
    app.refresh(&refresh_token(&session))
        .await
        .expect_problem(401, "refresh-invalid");
    app.finish().await;
}

#[actix_web::test]
async fn only_hashes_of_refresh_tokens_are_stored() {
    let app = TestApp::start().await;
    app.seed_and_log_in().await;
    let stored: Vec<u8> = app
        .store
        .scalar("SELECT token_hash FROM refresh_tokens")
        .await;
    assert_eq!(stored.len(), 32, "SHA-256");
    app.finish().await;
}
