//! One's own sessions: seen, and ended one by one or all at once.

use chrono::TimeDelta;
use kernel::Role;
use reqwest::Method;
use serde_json::Value;

use crate::harness::{Answer, EMAIL, Options, PASSWORD, TestApp, eventually};

const SESSIONS: &str = "/auth/v1/sessions";
const BOB: &str = "bob@example.com";

fn token(session: &Value) -> String {
    format!("Bearer {}", session["access_token"].as_str().unwrap())
}

fn id(session: &Value) -> String {
    session["session_id"].as_str().unwrap().to_owned()
}

async fn list(app: &TestApp, session: &Value) -> Vec<Value> {
    let answer = app.send_as(Method::GET, SESSIONS, &token(session)).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let list = answer.expect(200);
    list["sessions"].as_array().unwrap().clone()
}

async fn log_in(app: &TestApp, email: &str) -> Value {
    app.log_in(email, PASSWORD).await.expect(201)
}

async fn end(app: &TestApp, session: &Value, path: &str) -> Answer {
    app.send_as(Method::DELETE, path, &token(session)).await
}

async fn expect_ended(app: &TestApp, session: &Value) {
    app.me(&token(session))
        .await
        .expect_problem(401, "invalid-token");
    let refresh_token = session["refresh_token"].as_str().unwrap();
    app.refresh(refresh_token)
        .await
        .expect_problem(401, "refresh-invalid");
}

#[actix_web::test]
async fn one_sees_ones_own_sessions_and_which_is_this_one() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    app.seed(BOB, Role::Customer).await;
    log_in(&app, BOB).await;
    let first = log_in(&app, EMAIL).await;
    app.clock.advance(TimeDelta::minutes(1));
    let second = log_in(&app, EMAIL).await;

    let sessions = list(&app, &first).await;
    let ids: Vec<_> = sessions.iter().map(|one| one["id"].clone()).collect();
    assert_eq!(
        ids,
        [id(&second), id(&first)],
        "the last used first, and nobody else's"
    );
    assert_eq!(sessions[0]["current"], false);
    assert_eq!(sessions[1]["current"], true);
    assert_eq!(sessions[1]["ip"], "127.0.0.1");
    assert_eq!(sessions[1]["device"], "plumbline-tests");

    app.clock.advance(TimeDelta::minutes(1));
    let refreshed = app.refresh(first["refresh_token"].as_str().unwrap()).await;
    let sessions = list(&app, &refreshed.expect(200)).await;
    assert_eq!(sessions[0]["id"], id(&first), "a refresh is a use");
    assert_ne!(sessions[0]["last_used_at"], sessions[0]["created_at"]);

    app.clock.advance(TimeDelta::days(8));
    let late = log_in(&app, EMAIL).await;
    assert_eq!(
        list(&app, &late).await.len(),
        1,
        "what was idle for a week has ended"
    );
    app.finish().await;
}

#[actix_web::test]
async fn a_session_that_was_ended_is_refused_at_once_and_no_other() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let (kept, ended) = (log_in(&app, EMAIL).await, log_in(&app, EMAIL).await);
    app.me(&token(&ended)).await.expect(200);
    let path = format!("{SESSIONS}/{}", id(&ended));
    end(&app, &kept, &path).await.expect(204);
    expect_ended(&app, &ended).await;
    app.me(&token(&kept)).await.expect(200);
    assert_eq!(list(&app, &kept).await.len(), 1);
    let again = end(&app, &kept, &path).await;
    again.expect_problem(404, "session-not-found");

    let path = format!("{SESSIONS}/{}", id(&kept));
    end(&app, &kept, &path).await.expect(204);
    expect_ended(&app, &kept).await;
    let answer = app.send_as(Method::GET, SESSIONS, &token(&kept)).await;
    answer.expect_problem(401, "invalid-token");
    app.finish().await;
}

#[actix_web::test]
async fn someone_elses_session_is_not_found() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    app.seed(BOB, Role::Admin).await;
    let (ada, bob) = (log_in(&app, EMAIL).await, log_in(&app, BOB).await);
    let nobodys = uuid::Uuid::nil().to_string();
    for id in [&id(&ada), &nobodys, "x", "%20"] {
        let answer = end(&app, &bob, &format!("{SESSIONS}/{id}")).await;
        answer.expect_problem(404, "session-not-found");
    }
    app.me(&token(&ada)).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn logging_out_everywhere_ends_all_of_ones_own_sessions() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    app.seed(BOB, Role::Customer).await;
    let bob = log_in(&app, BOB).await;
    let sessions = [log_in(&app, EMAIL).await, log_in(&app, EMAIL).await];
    end(&app, &sessions[0], SESSIONS).await.expect(204);
    for session in &sessions {
        expect_ended(&app, session).await;
    }
    app.me(&token(&bob)).await.expect(200);
    let written = "audit_events WHERE action = 'session.all-revoked'";
    assert_eq!(app.store.count(written).await, 1);
    app.finish().await;
}

#[actix_web::test]
async fn the_access_token_of_a_stolen_session_ends_with_its_refresh_token() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let refresh_token = session["refresh_token"].as_str().unwrap();
    app.refresh(refresh_token).await.expect(200);
    app.clock.advance(TimeDelta::minutes(1));
    app.me(&token(&session)).await.expect(200);
    let reused = app.refresh(refresh_token).await;
    reused.expect_problem(401, "refresh-reused");
    app.me(&token(&session))
        .await
        .expect_problem(401, "invalid-token");
    app.finish().await;
}

#[actix_web::test]
async fn what_was_revoked_stays_so_over_a_restart() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let ended = app.log_in(EMAIL, PASSWORD).await.expect(201);
    let path = format!("{SESSIONS}/{}", id(&ended));
    end(&app, &session, &path).await.expect(204);
    let ended = id(&ended).parse().unwrap();
    let store = app.stop().await;

    // Its list is in memory, and empty at first.
    let app = TestApp::start_on(store, Options::default()).await;
    assert!(app.service.verifier().revocations().is_revoked(ended));
    app.finish().await;
}

#[actix_web::test]
async fn what_another_replica_revoked_and_could_not_tell_is_found_in_the_database() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    app.me(&token(&session)).await.expect(200);
    let now = "UPDATE sessions SET revoked_at = last_used_at";
    app.store.execute(now).await;
    let refused = async || (app.me(&token(&session)).await.status == 401).then_some(());
    eventually("the session is refused", refused).await;
    app.finish().await;
}
