//! Whoever tries too often waits: by client, by account, and for mails by recipient.

use std::num::NonZeroU32;

use auth::Limits;
use chrono::TimeDelta;
use kernel::Role;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, EMAIL, Options, PASSWORD, TestApp};

const WRONG: &str = "a wrong password of some length";
const NOBODY: &str = "nobody@example.com";

async fn limited(limits: Limits) -> TestApp {
    let options = Options {
        limits,
        ..Options::default()
    };
    TestApp::start_with(options).await
}

fn limit(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

#[track_caller]
fn expect_too_many(answer: &Answer, quota: &str, wait: &str) {
    answer.expect_problem(429, "too-many-requests");
    assert_eq!(answer.header("retry-after"), wait);
    let remaining = format!("\"{quota}\";r=0;t={wait}");
    assert_eq!(answer.header("ratelimit"), remaining);
    let policy = answer.header("ratelimit-policy");
    assert!(policy.starts_with(&format!("\"{quota}\";q=")), "{policy}");
}

#[actix_web::test]
async fn a_client_that_logs_in_too_often_waits_whatever_it_says_about_itself() {
    let app = limited(Limits {
        log_ins_per_client: limit(2),
        ..Limits::NONE
    })
    .await;
    let session = app.seed_and_log_in().await;
    app.log_in(NOBODY, WRONG).await.expect(401);
    for email in [EMAIL, NOBODY] {
        let answer = app.log_in(email, PASSWORD).await;
        expect_too_many(&answer, "log-ins-per-client", "30");
    }
    for forged in ["198.51.100.1", "127.0.0.2, 198.51.100.2"] {
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let headers = [("x-forwarded-for", forged)];
        let answer = app.post_with("/auth/v1/sessions", &headers, body).await;
        answer.expect_problem(429, "too-many-requests");
    }
    let refresh_token = session["refresh_token"].as_str().unwrap();
    app.refresh(refresh_token).await.expect(200);
    app.clock.advance(TimeDelta::seconds(30));
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_that_is_tried_too_often_waits_whether_it_exists_or_not() {
    let app = limited(Limits {
        log_ins_per_account: limit(3),
        ..Limits::NONE
    })
    .await;
    app.seed(EMAIL, Role::Customer).await;
    for email in [EMAIL, NOBODY] {
        for _ in 0..3 {
            app.log_in(email, WRONG).await.expect(401);
        }
        let answer = app.log_in(email, PASSWORD).await;
        expect_too_many(&answer, "log-ins-per-account", "20");
    }
    app.log_in("eve@example.com", WRONG).await.expect(401);
    app.finish().await;
}

#[actix_web::test]
async fn from_the_fifth_wrong_password_on_an_account_waits_ever_longer() {
    let app = limited(Limits {
        failed_log_ins: limit(5),
        ..Limits::NONE
    })
    .await;
    app.seed(EMAIL, Role::Customer).await;
    for email in [EMAIL, NOBODY] {
        for _ in 0..4 {
            app.log_in(email, WRONG).await.expect(401);
        }
        for wait in [5, 10, 20] {
            let answer = app.log_in(email, WRONG).await;
            answer.expect_problem(401, "invalid-credentials");
            for password in [WRONG, PASSWORD] {
                let answer = app.log_in(email, password).await;
                expect_too_many(&answer, "failed-log-ins", &wait.to_string());
            }
            app.clock.advance(TimeDelta::seconds(wait));
        }
    }
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.log_in(EMAIL, WRONG).await.expect(401);
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn an_address_gets_so_many_mails_and_the_answer_stays_the_same() {
    let app = limited(Limits {
        mails_per_recipient: limit(2),
        ..Limits::NONE
    })
    .await;
    app.seed(EMAIL, Role::Customer).await;
    for email in [EMAIL, NOBODY] {
        let first = app.register(email, PASSWORD).await;
        first.expect(202);
        for _ in 0..3 {
            let answer = app.register(email, PASSWORD).await;
            assert_eq!((answer.status, &answer.body), (202, &first.body));
        }
        app.mails(email, 2).await;
    }
    app.clock.advance(TimeDelta::minutes(30));
    app.register(NOBODY, PASSWORD).await.expect(202);
    app.mails(NOBODY, 3).await;
    app.finish().await;
}

#[actix_web::test]
async fn every_route_that_changes_something_is_limited() {
    let one = limit(1);
    let app = limited(Limits {
        log_ins_per_client: one,
        refreshes_per_client: one,
        mail_requests_per_client: one,
        other_requests_per_client: one,
        ..Limits::NONE
    })
    .await;
    let mut answered = 0;
    for route in auth::declared_routes() {
        if route.method == "GET" {
            continue;
        }
        let method = Method::from_bytes(route.method.as_str().as_bytes()).unwrap();
        // Each kind of request is answered once.
        let answer = app.send(method, &route.path, None).await;
        answered += usize::from(answer.status != 429);
    }
    assert!(answered <= 4, "{answered}");
    app.finish().await;
}

#[actix_web::test]
async fn a_stolen_session_gives_no_more_guesses_at_the_password_than_anybody_has() {
    let app = limited(Limits {
        failed_log_ins: limit(5),
        ..Limits::NONE
    })
    .await;
    let session = app.seed_and_log_in().await;
    let token = session["access_token"].as_str().unwrap();
    for _ in 0..5 {
        let answer = app.step_up(token, json!({"password": WRONG})).await;
        answer.expect_problem(401, "invalid-credentials");
    }
    let answer = app.step_up(token, json!({"password": PASSWORD})).await;
    expect_too_many(&answer, "failed-log-ins", "5");
    let answer = app.log_in(EMAIL, PASSWORD).await;
    expect_too_many(&answer, "failed-log-ins", "5");
    app.clock.advance(TimeDelta::seconds(5));
    let answer = app.step_up(token, json!({"password": PASSWORD})).await;
    answer.expect(200);
    app.finish().await;
}
