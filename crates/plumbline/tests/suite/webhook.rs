//! The payment provider's webhooks, true and forged.

use std::sync::Arc;

use kernel::{Clock, SystemClock};
use payment::signature;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::http::{Response, send};

use crate::support::System;

const PATH: &str = "/webhooks/stripe";

#[tokio::test]
async fn a_forged_webhook_is_refused_and_confirms_nothing() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let order = ada
        .place(&system.product().await, "pm_card_chargeDeclined")
        .await;
    let id = order["id"].as_str().unwrap();
    let body = succeeded("evt_forged", "pi_forged", id);
    let forged = [SecretString::from("whsec_not_the_one")];
    for header in ["", "t=1,v1=00", &sign(&forged, &body)] {
        let answer = post(&system, header, &body).await;
        let _ = answer.expect_problem(400, "webhook-signature-invalid");
    }
    let true_header = sign(std::slice::from_ref(&system.webhook_secret), &body);
    let tampered = body.replace("evt_forged", "evt_other");
    let answer = post(&system, &true_header, &tampered).await;
    let _ = answer.expect_problem(400, "webhook-signature-invalid");
    assert_eq!(ada.watch_to_the_end(id).await, "CANCELLED");
    system.stop().await;
}

/// The provider is asked what is true: a webhook alone, though signed, confirms nothing.
#[tokio::test]
async fn a_repeated_webhook_is_answered_and_applied_once() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let order = ada
        .place(&system.product().await, "pm_usBankAccount_success")
        .await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    let before = ada.order(id).await;

    let charge = system.charges(id).await.remove(0);
    let body = succeeded("evt_again", charge["id"].as_str().unwrap(), id);
    for _ in 0..3 {
        let header = sign(std::slice::from_ref(&system.webhook_secret), &body);
        let _ = post(&system, &header, &body).await.expect_status(204);
    }
    system.at_rest().await;
    assert_eq!(ada.order(id).await, before, "no further step");
    system.stop().await;
}

#[tokio::test]
async fn webhooks_about_other_things_are_taken_and_forgotten() {
    let system = System::start().await;
    let customer = json!({"object": "customer", "id": "cus_1"});
    let unknown_intent = succeeded("evt_unknown", "pi_of_nobody", "no-order");
    let other_event = event("evt_other", "customer.created", &customer);
    for body in [other_event, unknown_intent] {
        let header = sign(std::slice::from_ref(&system.webhook_secret), &body);
        let answer = post(&system, &header, &body).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
    let malformed = "{";
    let header = sign(std::slice::from_ref(&system.webhook_secret), malformed);
    let answer = post(&system, &header, malformed).await;
    let _ = answer.expect_problem(400, "malformed-json");
    system.stop().await;
}

fn succeeded(event_id: &str, intent_id: &str, order_id: &str) -> String {
    let intent = json!({
        "object": "payment_intent", "id": intent_id, "status": "succeeded", "amount": 100,
        "amount_received": 100, "currency": "eur", "created": 1_700_000_000,
        "metadata": {"order_id": order_id},
    });
    event(event_id, "payment_intent.succeeded", &intent)
}

fn event(id: &str, event_type: &str, object: &Value) -> String {
    let event = json!({
        "id": id, "object": "event", "type": event_type, "created": 1_700_000_000,
        "data": {"object": object},
    });
    event.to_string()
}

fn sign(secrets: &[SecretString], body: &str) -> String {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    signature::sign(secrets, clock.now(), body.as_bytes())
}

async fn post(system: &System, signature: &str, body: &str) -> Response {
    let request = system.gateway.request(reqwest::Method::POST, PATH);
    let request = request.header(signature::HEADER, signature);
    let request = request.header("content-type", "application/json");
    send(request.body(body.to_owned())).await
}
