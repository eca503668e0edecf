//! The events' schemas. That every event which the suites produce is as its schema says is checked
//! at the end of each test, by `System::stop`; here, that this would be noticed.

use serde_json::{Value, json};

use crate::support::events::complaints;

const PLACED: &str = "orders.order.placed.v1";

fn placed() -> Value {
    json!({
        "specversion": "1.0",
        "id": "01980000-0000-7000-8000-000000000001",
        "source": "/plumbline/orders",
        "type": PLACED,
        "subject": "01980000-0000-7000-8000-000000000002",
        "time": "2026-11-24T09:15:27.123456Z",
        "datacontenttype": "application/json",
        "data": {
            "order_id": "01980000-0000-7000-8000-000000000002",
            "customer_id": "01980000-0000-7000-8000-000000000003",
            "status": "PLACED",
            "version": 1,
            "at": "2026-11-24T09:15:27.123456Z",
        },
    })
}

#[test]
fn an_event_is_as_its_schema_says_and_a_damaged_one_is_not() {
    let declared = plumbline::declared_events();
    let complaints = |event: &Value| complaints(&declared, PLACED, &event.to_string());
    assert_eq!(complaints(&placed()), Vec::<String>::new());
    let mut more = placed();
    more["data"]["told_by_a_newer_release"] = json!(true);
    assert_eq!(complaints(&more), Vec::<String>::new());
    for (pointer, damaged) in [
        ("/specversion", json!("9.0")),
        ("/type", json!("orders.order.paid.v1")),
        ("/source", json!("/elsewhere")),
        ("/id", json!("7")),
        ("/time", json!("yesterday")),
        ("/data", json!(null)),
        ("/data/order_id", json!(7)),
        ("/data/status", json!("PAID")),
        ("/data/version", json!("1")),
    ] {
        let mut event = placed();
        *event.pointer_mut(pointer).unwrap() = damaged;
        assert!(!complaints(&event).is_empty(), "{pointer}");
    }
}

#[test]
fn every_schema_is_understood_and_asks_for_some_data() {
    let declared = plumbline::declared_events();
    for event in &declared {
        let found = complaints(&declared, event.event_type, r#"{"data": {}}"#);
        assert!(
            found
                .iter()
                .any(|complaint| complaint.starts_with("/data: "))
        );
    }
}

#[test]
fn an_event_that_nobody_declared_is_noticed() {
    let declared = plumbline::declared_events();
    let found = complaints(&declared, "orders.order.teleported.v1", "{}");
    assert_eq!(found, ["orders.order.teleported.v1 is not declared"]);
}
