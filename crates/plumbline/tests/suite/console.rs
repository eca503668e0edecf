//! The pages in a real browser.

use crate::support::{Browser, System, eventually};

#[tokio::test]
async fn every_page_renders_from_its_own_server_without_a_complaint() {
    let Some(mut browser) = Browser::start("the pages in a browser").await else {
        return;
    };
    let system = System::start().await;
    for (client, path, marker) in [
        (&system.gateway, "/", "#products .product"),
        (
            &system.gateway,
            "/graphql",
            ".graphiql-container .graphiql-query-editor",
        ),
        (&system.gateway, "/docs/", "#operations-orders-placeOrder"),
        (&system.auth, "/auth/docs/", ".swagger-ui .opblock"),
    ] {
        browser.open(&format!("{}{path}", client.base_url())).await;
        browser
            .wait_for(&format!("document.querySelector('{marker}') !== null"))
            .await;
        let title = browser.evaluate("document.title").await;
        assert!(
            title.as_str().is_some_and(|title| !title.is_empty()),
            "{path}"
        );
    }
    let origins = [&system.gateway, &system.auth].map(|client| client.base_url());
    browser.assert_content_with(&origins);
    system.stop().await;
}

/// Without this, the other tests here would not notice that they notice nothing.
#[tokio::test]
async fn a_script_that_the_policy_forbids_is_noticed() {
    let Some(mut browser) = Browser::start("the policy in a browser").await else {
        return;
    };
    let system = System::start().await;
    browser
        .open(&format!("{}/", system.gateway.base_url()))
        .await;
    browser.wait_for("document.readyState === 'complete'").await;
    let inline = "const script = document.createElement('script');
        script.textContent = 'window.intruder = true'; document.head.append(script);
        window.intruder === undefined";
    assert_eq!(browser.evaluate(inline).await, true);
    eventually("a complaint about the policy", async || {
        browser.evaluate("0").await;
        let mut complaints = browser.complaints().iter();
        complaints
            .any(|text| text.contains("Content Security Policy"))
            .then_some(())
    })
    .await;
    system.stop().await;
}

/// The console asks auth at its own origin: with separate processes that takes the edge proxy.
#[tokio::test]
async fn a_person_logs_in_orders_and_sees_the_order_confirmed() {
    if System::is_distributed() {
        return;
    }
    let Some(mut browser) = Browser::start("an order in the console").await else {
        return;
    };
    let system = System::start().await;
    let origin = system.gateway.base_url();
    browser.open(&format!("{origin}/")).await;
    browser
        .wait_for("document.querySelector('#products .product button') !== null")
        .await;
    browser
        .evaluate("document.querySelector('#products .product button').click()")
        .await;
    // The form is filled with the demo user.
    browser
        .evaluate("document.querySelector('#log-in button').click()")
        .await;
    browser
        .wait_for("!document.querySelector('#place-button').disabled")
        .await;
    browser
        .evaluate("document.querySelector('#place-button').click()")
        .await;
    browser
        .wait_for("document.querySelector('#orders .good') !== null")
        .await;
    let state = browser
        .evaluate("document.querySelector('#orders .good span').textContent")
        .await;
    assert_eq!(state, "Confirmed");
    browser.assert_content_with(&[origin]);
    system.stop().await;
}
