//! Refresh tokens in a cookie, and that no other site can use it.

use kernel::Role;
use serde_json::json;

use crate::harness::{Answer, EMAIL, PASSWORD, TestApp};

const COOKIE: &str = "__Host-plumbline_refresh";
const OUR_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");
const SESSIONS: &str = "/auth/v1/sessions";
const REFRESH: &str = "/auth/v1/tokens/refresh";

async fn log_in(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let body = json!({
        "email": EMAIL, "password": PASSWORD, "refresh_token_transport": "cookie",
    });
    app.post_with(SESSIONS, headers, body).await
}

/// The value of the cookie that is set, whose attributes are all there.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    let (pair, attributes) = set.split_once("; ").unwrap();
    for attribute in [
        "HttpOnly",
        "SameSite=Strict",
        "Secure",
        "Path=/",
        "Max-Age=",
    ] {
        assert!(attributes.contains(attribute), "{set}");
    }
    assert!(!attributes.contains("Domain"), "{set}");
    let value = pair.strip_prefix(COOKIE).unwrap();
    value.strip_prefix('=').unwrap().to_owned()
}

async fn refresh(app: &TestApp, token: &str, headers: &[(&str, &str)]) -> Answer {
    let cookie = format!("other=1; {COOKIE}={token}");
    let mut headers = headers.to_vec();
    headers.push(("cookie", &cookie));
    app.post_with(REFRESH, &headers, json!({})).await
}

#[actix_web::test]
async fn a_browser_keeps_its_refresh_token_where_no_script_can_read_it() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let answer = log_in(&app, &[OUR_PAGE]).await;
    let session = answer.expect(201);
    assert!(session.get("refresh_token").is_none(), "{session}");
    let first = cookie(&answer);
    assert_eq!(first.len(), 43);

    let answer = refresh(&app, &first, &[OUR_PAGE]).await;
    let refreshed = answer.expect(200);
    assert!(refreshed.get("refresh_token").is_none(), "{refreshed}");
    assert_eq!(refreshed["session_id"], session["session_id"]);
    let second = cookie(&answer);
    assert_ne!(first, second);

    let token = format!("Bearer {}", refreshed["access_token"].as_str().unwrap());
    let answer = app.send_as(reqwest::Method::DELETE, SESSIONS, &token).await;
    answer.expect(204);
    assert_eq!(cookie(&answer), "", "the cookie ends with the session");
    let answer = refresh(&app, &second, &[OUR_PAGE]).await;
    answer.expect_problem(401, "refresh-invalid");
    assert_eq!(cookie(&answer), "", "and with a refusal");
    app.finish().await;
}

#[actix_web::test]
async fn another_sites_page_can_use_neither_the_cookie_nor_the_log_in() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let token = cookie(&log_in(&app, &[OUR_PAGE]).await);
    let other_port = "http://127.0.0.1:1";
    let foreign: &[&[(&str, &str)]] = &[
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &app.origin)],
        &[("origin", "https://evil.example")],
        &[("origin", other_port)],
        &[("origin", "null")],
        &[("referer", &app.origin)],
        &[],
    ];
    for headers in foreign {
        let answer = refresh(&app, &token, headers).await;
        answer.expect_problem(403, "cross-site-request");
        assert_eq!(answer.header("set-cookie"), "", "{headers:?}");
        let answer = log_in(&app, headers).await;
        answer.expect_problem(403, "cross-site-request");
    }
    // What a form could send is no JSON.
    let answer = app.post_raw(REFRESH, "text/plain", "{}").await;
    answer.expect_problem(415, "unsupported-media-type");

    let fallback = ("origin", app.origin.as_str());
    refresh(&app, &token, &[fallback]).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn a_program_without_cookies_has_its_refresh_token_in_the_body() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let answer = app
        .refresh(session["refresh_token"].as_str().unwrap())
        .await;
    assert!(answer.expect(200)["refresh_token"].is_string());
    assert_eq!(answer.header("set-cookie"), "");
    let answer = app.post_with(REFRESH, &[OUR_PAGE], json!({})).await;
    answer.expect_problem(422, "validation");
    app.finish().await;
}
