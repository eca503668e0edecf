//! Orders that are taken back, over GraphQL and REST.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Reply, Shop};

const CANCEL: &str = "mutation($id: ID!) { cancelOrder(input: {orderId: $id}) {
  order { id status history { status } } userErrors { code message field } } }";
const REFUND: &str = "mutation($id: ID!) { refundOrder(input: {orderId: $id}) {
  order { id status } userErrors { code message field } } }";

async fn cancel(shop: &Shop, customer: u128, id: &str) -> Value {
    let reply = shop.ask(customer, CANCEL, json!({"id": id})).await;
    reply.body["data"]["cancelOrder"].clone()
}

async fn cancel_by_rest(shop: &Shop, customer: u128, id: &str) -> Reply {
    let path = format!("/v1/orders/{id}/cancel");
    Reply::to(shop.rest(customer, "POST", &path)).await
}

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

#[actix_web::test]
async fn an_order_is_cancelled_the_same_over_graphql_and_rest() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let (one, other) = (shop.place(1, &product).await, shop.place(1, &product).await);
    let payload = cancel(&shop, 1, id(&one)).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    assert_eq!(payload["order"]["id"], one["id"]);
    assert_eq!(payload["order"]["status"], "CANCEL_REQUESTED");
    let states = json!([{"status": "PLACED"}, {"status": "CANCEL_REQUESTED"}]);
    assert_eq!(payload["order"]["history"], states);

    let reply = cancel_by_rest(&shop, 1, id(&other)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body["status"], "CANCEL_REQUESTED");
    assert_eq!(reply.body["id"], other["id"]);
    // Whichever way it is asked again, it is as was asked.
    assert_eq!(cancel_by_rest(&shop, 1, id(&one)).await.status, 200);
    let again = cancel(&shop, 1, id(&other)).await;
    assert_eq!(again["order"]["status"], "CANCEL_REQUESTED");
}

#[actix_web::test]
async fn what_is_paid_for_is_not_cancelled_and_both_ways_say_so() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    shop.confirm(&order).await;
    let payload = cancel(&shop, 1, id(&order)).await;
    assert_eq!(payload["order"], Value::Null);
    let error = &payload["userErrors"][0];
    assert_eq!(error["code"], "order-not-cancellable", "{payload}");
    assert_eq!(error["field"], "orderId");
    let reply = cancel_by_rest(&shop, 1, id(&order)).await;
    reply.is_problem(409, "order-not-cancellable");
}

#[actix_web::test]
async fn the_order_of_another_customer_is_not_found_and_stays_as_it_is() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let nobodys = Uuid::nil().to_string();
    for id in [id(&order), &nobodys, "nonsense"] {
        let payload = cancel(&shop, 2, id).await;
        assert_eq!(payload["order"], Value::Null);
        assert_eq!(payload["userErrors"][0]["code"], "order-not-found");
        let reply = cancel_by_rest(&shop, 2, id).await;
        reply.is_problem(404, "order-not-found");
    }
    let path = format!("/v1/orders/{}", id(&order));
    let read = Reply::to(shop.rest(1, "GET", &path)).await;
    assert_eq!(read.body["status"], "PLACED");
}

#[actix_web::test]
async fn an_admin_refunds_what_was_paid() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let variables = json!({"id": order["id"]});
    let refund = async |variables: &Value| {
        let reply = shop.ask_as("admin", REFUND, variables.clone()).await;
        reply.body["data"]["refundOrder"].clone()
    };
    let early = refund(&variables).await;
    assert_eq!(early["userErrors"][0]["code"], "order-not-refundable");
    assert_eq!(early["userErrors"][0]["field"], "orderId");
    shop.confirm(&order).await;
    for _ in 0..2 {
        let payload = refund(&variables).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        assert_eq!(payload["order"]["status"], "REFUNDING");
    }
    let missing = refund(&json!({"id": "nonsense"})).await;
    assert_eq!(missing["userErrors"][0]["code"], "order-not-found");
}

#[actix_web::test]
async fn nobody_else_refunds() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    shop.confirm(&order).await;
    let variables = json!({"id": order["id"]});
    for role in ["customer", "support"] {
        let reply = shop.ask_as(role, REFUND, variables.clone()).await;
        assert_eq!(reply.code(), "FORBIDDEN", "{role}");
    }
    let reply = shop.ask(1, REFUND, variables).await;
    assert_eq!(reply.code(), "FORBIDDEN", "its customer");
}

#[actix_web::test]
async fn while_nobody_can_tell_who_was_revoked_orders_are_cancelled_and_not_refunded() {
    let shop = Shop::open_without_revocations().await;
    let product = shop.product().await;
    let (paid, placed) = (shop.place(1, &product).await, shop.place(1, &product).await);
    shop.confirm(&paid).await;
    let reply = shop
        .ask_as("admin", REFUND, json!({"id": paid["id"]}))
        .await;
    assert_eq!(reply.code(), "SERVICE_UNAVAILABLE", "{reply:?}");
    let payload = cancel(&shop, 1, id(&placed)).await;
    assert_eq!(payload["order"]["status"], "CANCEL_REQUESTED");
}
