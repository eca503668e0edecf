//! Log-in at a real provider, in a real browser: the cookie that binds it, the page to which the
//! provider sends the browser back, and that page's policy.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    http::send,
    oidc_provider::{CLIENT_ID, CLIENT_SECRET, OidcProvider},
};

use crate::support::{Browser, System, order_body};

const LOGINS: &str = "/auth/v1/external-logins";

/// The system, which knows the provider. The browser must be able to open auth at the public URL:
/// that is so where all is one process.
async fn start(test: &str) -> Option<(System, OidcProvider)> {
    if System::is_distributed() {
        return None;
    }
    let port = testkit::ports::free_port().unwrap();
    let redirect_uri = format!("http://localhost:{port}{LOGINS}/callback");
    let provider = OidcProvider::start(test, &redirect_uri).await.unwrap()?;
    let settings = format!(
        r#"[{{name = "example", display_name = "Example", issuer = "{}", client_id = "{CLIENT_ID}",
        client_secret = "{CLIENT_SECRET}", allow_private_network = true}}]"#,
        provider.issuer()
    );
    let system = System::embedded_with(|overrides| {
        overrides
            .with("server.port", port)
            .with("auth.external_providers", settings)
    })
    .await;
    Some((system, provider))
}

#[tokio::test]
async fn a_browser_logs_in_at_a_provider() {
    let test = "log-in at a provider in a browser";
    let Some(mut browser) = Browser::start(test).await else {
        return;
    };
    let Some((system, provider)) = start(test).await else {
        return;
    };
    let page = system.auth.base_url().replace("127.0.0.1", "localhost");
    browser.open(&format!("{page}/")).await;
    browser.wait_for("document.readyState === 'complete'").await;
    let begin = format!(
        r#"fetch("{LOGINS}", {{
            method: "POST",
            headers: {{ "content-type": "application/json" }},
            body: JSON.stringify({{ provider: "example" }}),
        }}).then((answer) => answer.json()).then((begun) => begun.authorization_url)"#
    );
    let url = browser.resolve(&begin).await;
    browser.open(url.as_str().unwrap()).await;
    for (field, value) in [("login", "ada"), ("password", "any")] {
        let input = format!("document.querySelector('input[name={field}]')");
        browser.wait_for(&format!("{input} !== null")).await;
        browser
            .evaluate(&format!("{input}.value = '{value}'"))
            .await;
    }
    browser.evaluate("document.forms[0].submit()").await;
    browser
        .wait_for("document.querySelector('input[value=consent]') !== null")
        .await;
    browser.evaluate("document.forms[0].submit()").await;
    browser
        .wait_for("document.getElementById('result')?.textContent === 'You are logged in.'")
        .await;
    assert_eq!(
        browser.evaluate("location.search").await,
        "",
        "the code is not kept"
    );
    // The session's refresh token is in the browser's keeping.
    let refresh = r#"fetch("/auth/v1/tokens/refresh", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: "{}",
        }).then((answer) => answer.status)"#;
    assert_eq!(browser.resolve(refresh).await, 200);
    // The provider's own pages ask for fonts from elsewhere.
    let ours: Vec<_> = browser
        .complaints()
        .iter()
        .filter(|complaint| complaint.contains(&page))
        .collect();
    assert!(ours.is_empty(), "{ours:#?}");
    drop(provider);
    system.stop().await;
}

#[tokio::test]
async fn who_logs_in_at_a_provider_can_order() {
    let Some((system, provider)) = start("an order after a log-in at a provider").await else {
        return;
    };
    let begun = system
        .auth
        .post(LOGINS, &json!({"provider": "example"}))
        .await;
    let begun = begun.expect_status(201);
    let cookie = begun.header("set-cookie").unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let url = begun.json::<Value>()["authorization_url"].take();
    let callback = provider.authorize(url.as_str().unwrap(), "grace").await;
    let sent: HashMap<_, _> = callback.query_pairs().into_owned().collect();
    let complete = system
        .auth
        .request(Method::POST, &format!("{LOGINS}/complete"))
        .header("cookie", cookie)
        .json(&json!({"state": sent["state"], "code": sent["code"], "iss": sent["iss"]}));
    let session: Value = send(complete).await.expect_status(201).json();
    let customer = system
        .gateway
        .with_bearer(session["access_token"].as_str().unwrap());
    let product = system.product().await;
    let order = customer
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", "the-first")
        .json(&order_body(&product, 1, "pm_card_visa"));
    let _ = send(order).await.expect_status(201);
    system.at_rest().await;
    drop(provider);
    system.stop().await;
}
