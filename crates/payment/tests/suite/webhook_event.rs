use chrono::DateTime;
use kernel::{Currency, Money, OrderId};
use payment::{EventObject, IntentStatus, WebhookEvent};
use serde_json::{Value, json};

const ORDER: &str = "0190a5a0-0000-7000-8000-000000000001";

fn event(object: &Value) -> Vec<u8> {
    json!({
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_700_000_000,
        "livemode": false,
        "pending_webhooks": 1,
        "data": { "object": object },
    })
    .to_string()
    .into_bytes()
}

fn intent() -> Value {
    json!({
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 1250,
        "amount_received": 1250,
        "currency": "eur",
        "status": "succeeded",
        "created": 1_700_000_000,
        "metadata": { "order_id": ORDER, "note": "kept elsewhere" },
        "last_payment_error": null,
        "a_member_newer_than_this_client": { "nested": true },
    })
}

#[test]
fn an_intent_event_carries_the_order_and_the_money() {
    let event = WebhookEvent::parse(&event(&intent())).unwrap();
    assert_eq!(event.id, "evt_1");
    assert_eq!(event.event_type, "payment_intent.succeeded");
    assert_eq!(
        event.created,
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    );
    assert_eq!(event.intent_id(), Some("pi_1"));
    let EventObject::Intent(intent) = event.object else {
        panic!("not an intent: {:?}", event.object)
    };
    assert_eq!(intent.amount, Money::new(1250, Currency::EUR));
    assert_eq!(intent.amount_received, intent.amount);
    assert_eq!(intent.status, IntentStatus::Succeeded);
    assert_eq!(intent.order_id, Some(ORDER.parse::<OrderId>().unwrap()));
    assert_eq!(intent.last_failure, None);
}

#[test]
fn a_failed_intent_says_why() {
    let mut object = intent();
    object["status"] = json!("requires_payment_method");
    object["amount_received"] = json!(0);
    object["last_payment_error"] = json!({
        "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.",
    });
    let EventObject::Intent(intent) = WebhookEvent::parse(&event(&object)).unwrap().object else {
        panic!("not an intent")
    };
    assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
    assert_eq!(intent.amount_received.amount, 0);
    assert_eq!(intent.last_failure.unwrap().code, "insufficient_funds");
}

#[test]
fn a_refund_event_names_its_intent() {
    let body = event(&json!({
        "id": "re_1", "object": "refund", "payment_intent": "pi_1", "amount": 1250,
        "currency": "eur", "status": "succeeded", "created": 1_700_000_000,
    }));
    assert_eq!(
        WebhookEvent::parse(&body).unwrap().intent_id(),
        Some("pi_1")
    );
}

#[test]
fn what_is_newer_or_not_ours_is_read_all_the_same() {
    let other = event(&json!({ "id": "cus_1", "object": "customer" }));
    let other = WebhookEvent::parse(&other).unwrap();
    assert_eq!(other.object, EventObject::Other("customer".to_owned()));
    assert_eq!(other.intent_id(), None);

    let mut foreign = intent();
    foreign["status"] = json!("a_status_newer_than_this_client");
    foreign["metadata"] = json!({ "order_id": "not one of ours" });
    let EventObject::Intent(foreign) = WebhookEvent::parse(&event(&foreign)).unwrap().object else {
        panic!("not an intent")
    };
    assert_eq!(foreign.status, IntentStatus::Unrecognised);
    assert_eq!(foreign.order_id, None);
}

#[test]
fn a_body_that_is_no_event_is_refused() {
    let with = |member: &str, value: Value| {
        let mut object = intent();
        object[member] = value;
        event(&object)
    };
    let table: [Vec<u8>; 9] = [
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"\xff\xfe".to_vec(),
        event(&json!({ "id": "pi_1" })),
        with("amount", json!("1250")),
        with("currency", json!("euro")),
        with("created", json!(i64::MAX)),
    ];
    for body in table {
        assert!(
            WebhookEvent::parse(&body).is_err(),
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}
