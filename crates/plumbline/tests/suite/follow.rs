//! The way of one order as `plumbline follow`, GraphQL and its page tell it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::http::send;
use uuid::Uuid;

use crate::support::{Browser, Recorder, System, eventually, order_body};

const TIMELINE: &str = "query($id: ID!) { order(id: $id) {
    timeline { at until kind what detail traceId } } }";

async fn over_graphql(client: &testkit::http::Client, id: &str) -> Value {
    let request = json!({"query": TIMELINE, "variables": {"id": id}});
    let answer = client.post("/graphql", &request).await;
    answer.expect_status(200).json::<Value>()["data"]["order"].take()
}

fn kinds(timeline: &Value) -> BTreeSet<&str> {
    let entries = timeline.as_array().unwrap().iter();
    entries
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_order_is_followed_from_the_request_to_its_end_in_one_trace() {
    Recorder::start();
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let trace_id = Uuid::new_v4().simple().to_string();
    let request = ada
        .gateway
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", "follow")
        .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
        .json(&order_body(&system.product().await, 1, "pm_card_visa"));
    let order: Value = send(request).await.expect_status(201).json();
    let (id, number) = (
        order["id"].as_str().unwrap(),
        order["number"].as_str().unwrap(),
    );
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");

    // The webhook comes when the provider likes.
    let timeline = eventually("everything is told", async || {
        let printed = system.command(&["follow", id, "--json"]).await.unwrap();
        let followed: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(
            (&followed["status"], &followed["number"]),
            (&json!("CONFIRMED"), &json!(number))
        );
        let kinds = kinds(&followed["timeline"]).into_iter().map(str::to_owned);
        let known: Vec<_> = kinds.collect();
        let wanted = [
            "consumed", "message", "payment", "request", "state", "step", "webhook",
        ];
        let all = wanted
            .iter()
            .all(|kind| known.iter().any(|known| known == kind));
        all.then(|| followed["timeline"].clone())
    })
    .await;
    let first = &timeline[0];
    assert_eq!(
        (&first["kind"], &first["what"]),
        (&json!("request"), &json!("POST /v1/orders"))
    );
    let entries = timeline.as_array().unwrap();
    let traces: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| entry["trace_id"].as_str())
        .collect();
    assert_eq!(traces, BTreeSet::from([trace_id.as_str()]));

    let told = over_graphql(&ada.gateway, id).await;
    let first = &told["timeline"][0];
    assert_eq!(
        (&first["kind"], &first["traceId"]),
        (&json!("REQUEST"), &json!(trace_id))
    );
    assert!(kinds(&told["timeline"]).contains("PAYMENT"), "{told:#}");
    let eve = system.customer("eve").await;
    assert_eq!(over_graphql(&eve.gateway, id).await, Value::Null);

    let report = system.command(&["follow", number]).await.unwrap();
    assert!(
        report.starts_with(number) && report.contains(&format!("trace {trace_id}")),
        "{report}"
    );
    let refused = system.command(&["follow", "PL-NONE"]).await.unwrap_err();
    assert!(refused.contains("there is no order `PL-NONE`"), "{refused}");
    system.stop().await;
}

/// The page asks auth at its own origin: with separate processes that takes the edge proxy.
#[tokio::test]
async fn a_customer_reads_the_way_of_an_order_on_its_page() {
    if System::is_distributed() {
        return;
    }
    let Some(mut browser) = Browser::start("the page of an order's timeline").await else {
        return;
    };
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let order = ada.place(&system.product().await, "pm_card_visa").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    let origin = system.gateway.base_url();
    browser
        .open(&format!("{origin}/orders/{id}/timeline"))
        .await;
    browser
        .wait_for("document.querySelector('#log-in')?.hidden === false")
        .await;
    let fill = format!(
        "document.querySelector('#email').value = '{}';
         document.querySelector('#password').value = '{}';
         document.querySelector('#log-in').requestSubmit()",
        ada.email,
        crate::support::PASSWORD
    );
    browser.evaluate(&fill).await;
    browser
        .wait_for("document.querySelector('#timeline tr.payment') !== null")
        .await;
    let first = "document.querySelector('#timeline tbody tr').textContent";
    let first = browser.evaluate(first).await;
    assert!(
        first.as_str().unwrap().contains("POST /v1/orders"),
        "{first}"
    );
    let title = browser
        .evaluate("document.querySelector('#title').textContent")
        .await;
    assert!(
        title
            .as_str()
            .unwrap()
            .contains(order["number"].as_str().unwrap())
    );
    browser.assert_content_with(&[origin]);
    system.stop().await;
}
