//! An order is placed once, however often and by whichever way its request comes.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::http::{Response, send};

use crate::support::{Customer, System, order_body};

const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
  order { id } userErrors { code field }
} }";

#[tokio::test]
async fn the_same_request_again_leads_to_the_same_order_by_either_way() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let body = order_body(&product, 1, "pm_card_visa");
    let first = place(&ada, "key", &body).await.expect_status(201);
    assert_eq!(first.header("idempotent-replayed"), None);
    let id = id_of(&first);

    let again = place(&ada, "key", &body).await.expect_status(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(id_of(&again), id);
    let by_graphql = ada.gateway.graphql(PLACE, input("key", &product, 1)).await;
    assert_eq!(by_graphql["placeOrder"]["order"]["id"], json!(id));

    assert_eq!(ada.watch_to_the_end(&id).await, "CONFIRMED");
    let late = place(&ada, "key", &body).await.expect_status(201);
    assert_eq!(id_of(&late), id, "also once the order has ended");
    assert_eq!(ada.order_count().await, 1);
    assert_eq!(system.charges(&id).await.len(), 1);
    system.stop().await;
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_customer() {
    let system = System::start().await;
    let (ada, bob) = (system.customer("ada").await, system.customer("bob").await);
    let product = system.product().await;
    let one = order_body(&product, 1, "pm_card_visa");
    let two = order_body(&product, 2, "pm_card_visa");
    let order = place(&ada, "key", &one).await.expect_status(201);

    let other = place(&ada, "key", &two).await;
    let _ = other.expect_problem(422, "idempotency-key-reused");
    let other = ada.gateway.graphql(PLACE, input("key", &product, 2)).await;
    let error = json!({"code": "idempotency-key-reused", "field": "idempotencyKey"});
    assert_eq!(
        other["placeOrder"],
        json!({"order": null, "userErrors": [error]})
    );
    assert_eq!(ada.order_count().await, 1);

    let of_bob = place(&bob, "key", &two).await.expect_status(201);
    assert_ne!(id_of(&of_bob), id_of(&order));
    system.stop().await;
}

#[tokio::test]
async fn without_a_key_or_with_an_odd_one_nothing_is_ordered() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let body = order_body(&system.product().await, 1, "pm_card_visa");
    let missing = ada.gateway.post("/v1/orders", &body).await;
    let _ = missing.expect_problem(400, "idempotency-key-missing");
    for key in ["", "two words", &"k".repeat(256)] {
        let odd = place(&ada, key, &body).await;
        let _ = odd.expect_problem(400, "idempotency-key-invalid");
    }
    assert_eq!(ada.order_count().await, 0);
    system.stop().await;
}

#[tokio::test]
async fn requests_at_the_same_moment_place_one_order() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let body = order_body(&system.product().await, 1, "pm_card_visa");
    let answers = join_all((0..10).map(|_| place(&ada, "key", &body))).await;
    let (placed, early): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 201);
    let orders: HashSet<_> = placed.iter().map(id_of).collect();
    assert_eq!(orders.len(), 1, "{orders:?}");
    for answer in early {
        let _ = answer.expect_problem(409, "idempotency-key-in-flight");
    }
    assert_eq!(ada.order_count().await, 1);
    system.stop().await;
}

async fn place(customer: &Customer, key: &str, body: &Value) -> Response {
    let request = customer
        .gateway
        .request(reqwest::Method::POST, "/v1/orders");
    send(request.header("idempotency-key", key).json(body)).await
}

fn id_of(order: &Response) -> String {
    order.json::<Value>()["id"].as_str().unwrap().to_owned()
}

fn input(key: &str, product_id: &str, quantity: i64) -> Value {
    json!({"input": {
        "idempotencyKey": key,
        "lines": [{"productId": product_id, "quantity": quantity}],
        "paymentMethod": "pm_card_visa",
    }})
}
