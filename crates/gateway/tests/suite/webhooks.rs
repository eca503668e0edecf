//! Webhooks of the payment provider.

use kernel::Clock as _;
use payment::signature;
use secrecy::SecretString;
use serde_json::json;

use crate::support::{Reply, Shop};

const PATH: &str = "/webhooks/stripe";

fn event(id: &str) -> String {
    let intent = json!({
        "object": "payment_intent", "id": "pi_1", "status": "succeeded", "amount": 100,
        "currency": "eur", "created": 1_700_000_000, "metadata": {},
    });
    let event = json!({
        "id": id, "object": "event", "type": "payment_intent.succeeded",
        "created": 1_700_000_000, "data": {"object": intent},
    });
    event.to_string()
}

async fn send(shop: &Shop, secret: &str, body: &str) -> Reply {
    let secrets = [SecretString::from(secret)];
    let header = signature::sign(&secrets, shop.clock.now(), body.as_bytes());
    let request = shop.call("POST", PATH).header(signature::HEADER, header);
    Reply::to(request.body(body.to_owned())).await
}

#[actix_web::test]
async fn a_signed_webhook_is_taken_and_so_is_its_repetition() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        let reply = send(&shop, Shop::WEBHOOK_SECRET, &event("evt_1")).await;
        assert_eq!(reply.status, 204, "{reply:?}");
    }
}

#[actix_web::test]
async fn an_event_about_something_else_is_taken_and_forgotten() {
    let shop = Shop::open().await;
    let body = json!({
        "id": "evt_2", "type": "customer.created", "created": 1_700_000_000,
        "data": {"object": {"object": "customer", "id": "cus_1"}},
    });
    let reply = send(&shop, Shop::WEBHOOK_SECRET, &body.to_string()).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

#[actix_web::test]
async fn what_is_not_signed_is_refused() {
    let shop = Shop::open().await;
    let refused = send(&shop, "whsec_other", &event("evt_3")).await;
    refused.is_problem(400, "webhook-signature-invalid");
    let unsigned = shop.call("POST", PATH).body(event("evt_3"));
    Reply::to(unsigned)
        .await
        .is_problem(400, "webhook-signature-invalid");
    for header in ["", "t=1", "t=x,v1=00", "v1=00"] {
        let request = shop.call("POST", PATH).header(signature::HEADER, header);
        let reply = Reply::to(request.body(event("evt_3"))).await;
        reply.is_problem(400, "webhook-signature-invalid");
    }
}

#[actix_web::test]
async fn a_replayed_webhook_is_refused_when_it_is_old() {
    let shop = Shop::open().await;
    let secrets = [SecretString::from(Shop::WEBHOOK_SECRET)];
    let body = event("evt_4");
    let header = signature::sign(&secrets, shop.clock.now(), body.as_bytes());
    shop.clock.advance(chrono::TimeDelta::minutes(6));
    let request = shop
        .call("POST", PATH)
        .header(signature::HEADER, header)
        .body(body);
    Reply::to(request)
        .await
        .is_problem(400, "webhook-signature-invalid");
}

#[actix_web::test]
async fn a_signed_body_that_is_no_event_and_a_huge_one_are_refused() {
    let shop = Shop::open().await;
    let odd = send(&shop, Shop::WEBHOOK_SECRET, "{}").await;
    odd.is_problem(400, "malformed-json");
    let huge = send(&shop, Shop::WEBHOOK_SECRET, &"x".repeat(300 * 1024)).await;
    huge.is_problem(413, "payload-too-large");
}
