//! What machines ask about the system itself.

use serde_json::Value;

use crate::support::System;

#[tokio::test]
async fn every_role_is_alive_and_ready_and_names_its_dependencies() {
    let system = System::start().await;
    for (client, database) in [
        (&system.auth, "auth_database"),
        (&system.gateway, "orders_database"),
        (&system.worker, "orders_database"),
    ] {
        let live: Value = client.get("/health/live").await.expect_status(200).json();
        assert_eq!(live["status"], "live");
        let ready: Value = client.get("/health/ready").await.expect_status(200).json();
        assert_eq!(ready["status"], "ready");
        for check in [database, "broker", "cache"] {
            assert_eq!(ready["checks"][check], "ok", "{ready:#}");
        }
    }
    system.stop().await;
}

#[tokio::test]
async fn an_order_leaves_its_mark_in_the_metrics() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let order = ada.place(&system.product().await, "pm_card_visa").await;
    ada.watch_to_the_end(order["id"].as_str().unwrap()).await;
    let metrics = system.metrics.get("/metrics").await.expect_status(200);
    let kind = metrics.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = metrics.text();
    for name in [
        "plumbline_http_requests_total{",
        "plumbline_http_request_seconds_bucket{",
        "plumbline_messages_published_total{",
        "plumbline_messages_consumed_total{",
        "plumbline_outbox_published_total",
        "plumbline_outbox_wait_seconds",
        "plumbline_logins_total{",
        "plumbline_webhooks_total{",
        "plumbline_websocket_connections",
    ] {
        assert!(text.contains(name), "no {name} in:\n{text}");
    }
    assert!(
        !text.contains(order["id"].as_str().unwrap()),
        "an id is no label"
    );
    system.stop().await;
}

#[tokio::test]
async fn what_is_for_developers_is_there_in_the_embedded_mode_only() {
    let system = System::start().await;
    let expected = if System::is_distributed() { 404 } else { 200 };
    for client in [&system.auth, &system.gateway, &system.worker] {
        assert_eq!(client.get("/dev/mailbox").await.status, expected);
        assert_eq!(client.get("/metrics").await.status, expected);
    }
    system.stop().await;
}
