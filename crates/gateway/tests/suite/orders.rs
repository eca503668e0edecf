//! Orders over GraphQL and REST: placed, read, listed, and refused.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Reply, Shop};

const PLACE: &str = "mutation($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    order {
      id number status total { amount currency } createdAt
      lines { productId name quantity unitPrice { amount } total { amount } product { id name } }
      history { status at }
    }
    userErrors { code message field }
  }
}";

fn input(key: &str, product_id: &str, quantity: i64) -> Value {
    json!({"input": {
        "idempotencyKey": key,
        "lines": [{"productId": product_id, "quantity": quantity}],
        "paymentMethod": "pm_card_visa",
    }})
}

fn body(product_id: &str, quantity: i64) -> Value {
    json!({
        "lines": [{"product_id": product_id, "quantity": quantity}],
        "payment_method": "pm_card_visa",
    })
}

#[actix_web::test]
async fn the_same_order_reads_the_same_over_graphql_and_rest() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let placed = shop.ask(1, PLACE, input("key-1", &product, 2)).await;
    let payload = &placed.body["data"]["placeOrder"];
    assert_eq!(payload["userErrors"], json!([]), "{placed:?}");
    let order = &payload["order"];
    assert_eq!(order["status"], "PLACED");
    let line = &order["lines"][0];
    assert_eq!(
        (&line["productId"], &line["quantity"]),
        (&json!(product), &json!(2))
    );
    assert_eq!(line["product"]["name"], line["name"]);
    assert_eq!(line["total"], order["total"]["amount"].clone().into_money());
    assert_eq!(order["history"][0]["status"], "PLACED");

    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    let read = Reply::to(shop.rest(1, "GET", &path)).await;
    assert_eq!(read.status, 200, "{read:?}");
    for field in ["id", "number", "status", "total"] {
        assert_eq!(read.body[field], order[field], "{field}");
    }
    assert_eq!(read.body["lines"][0]["product_id"], line["productId"]);
    assert_eq!(read.body["history"][0]["status"], "PLACED");

    // The same request over REST is recognised as the same.
    let again = shop
        .rest(1, "POST", "/v1/orders")
        .header("idempotency-key", "key-1");
    let again = Reply::to(again.json(&body(&product, 2))).await;
    assert_eq!((again.status, &again.body["id"]), (201, &order["id"]));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), path);
}

trait IntoMoney {
    fn into_money(self) -> Value;
}

impl IntoMoney for Value {
    fn into_money(self) -> Value {
        json!({ "amount": self })
    }
}

#[actix_web::test]
async fn a_key_used_with_another_body_is_refused() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    shop.ask(1, PLACE, input("key", &product, 1)).await;
    let other = shop.ask(1, PLACE, input("key", &product, 2)).await;
    let payload = &other.body["data"]["placeOrder"];
    assert_eq!(payload["order"], json!(null));
    assert_eq!(payload["userErrors"][0]["code"], "idempotency-key-reused");
    assert_eq!(payload["userErrors"][0]["field"], "idempotencyKey");
    let other = shop
        .rest(1, "POST", "/v1/orders")
        .header("idempotency-key", "key");
    let other = Reply::to(other.json(&body(&product, 2))).await;
    other.is_problem(422, "idempotency-key-reused");
    // Keys are each customer's own.
    let stranger = shop.ask(2, PLACE, input("key", &product, 2)).await;
    assert_eq!(stranger.body["data"]["placeOrder"]["userErrors"], json!([]));
}

#[actix_web::test]
async fn what_can_be_mended_is_data() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let unknown = Uuid::from_u128(1).to_string();
    for (variables, code, field) in [
        (
            input("", &product, 1),
            "idempotency-key-invalid",
            "idempotencyKey",
        ),
        (input("k", &product, 0), "out_of_range", "lines[0].quantity"),
        (
            input("k", &product, -1),
            "out_of_range",
            "lines[0].quantity",
        ),
        (input("k", "nonsense", 1), "invalid", "lines[0].productId"),
        (input("k", &unknown, 1), "not_found", "lines[0].productId"),
    ] {
        let reply = shop.ask(1, PLACE, variables).await;
        let payload = &reply.body["data"]["placeOrder"];
        let error = &payload["userErrors"][0];
        assert_eq!(
            (error["code"].as_str(), error["field"].as_str()),
            (Some(code), Some(field))
        );
        assert_eq!(payload["order"], json!(null));
    }
    assert_eq!(listed(&shop, 1).await, 0, "nothing was written");
}

async fn listed(shop: &Shop, customer: u128) -> usize {
    let page = Reply::to(shop.rest(customer, "GET", "/v1/orders")).await;
    page.body["items"].as_array().unwrap().len()
}

#[actix_web::test]
async fn bad_bodies_are_refused_with_their_field() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let post = || {
        shop.rest(1, "POST", "/v1/orders")
            .header("idempotency-key", "key")
    };
    for (bad, field) in [
        (
            json!({"lines": [], "payment_method": "pm_card_visa"}),
            "lines",
        ),
        (body(&product, 0), "lines[0].quantity"),
        (body(&product, -1), "lines[0].quantity"),
        (body("nonsense", 1), "lines[0].product_id"),
        (
            json!({"lines": [{"product_id": product, "quantity": 1}], "payment_method": "4242 4242"}),
            "payment_method",
        ),
        (
            json!({"lines": [{"product_id": product, "quantity": 1, "price": 1}], "payment_method": "x"}),
            "lines[0].price",
        ),
        (
            json!({"lines": [{"product_id": product, "quantity": 1}], "payment_method": "x", "total": 1}),
            "total",
        ),
    ] {
        let reply = Reply::to(post().json(&bad)).await;
        reply.is_problem(422, "validation");
        assert_eq!(reply.body["errors"][0]["field"], field, "{reply:?}");
    }
    let json = |text: &'static str| post().header("content-type", "application/json").body(text);
    Reply::to(json("{")).await.is_problem(400, "malformed-json");
    Reply::to(post().body("{}"))
        .await
        .is_problem(415, "unsupported-media-type");
    let huge = json!({"lines": [], "payment_method": "x".repeat(100_000)});
    Reply::to(post().json(&huge))
        .await
        .is_problem(413, "payload-too-large");
    assert_eq!(listed(&shop, 1).await, 0, "nothing was written");
}

#[actix_web::test]
async fn the_idempotency_key_is_required() {
    let shop = Shop::open().await;
    let order = body(&shop.product().await, 1);
    let reply = Reply::to(shop.rest(1, "POST", "/v1/orders").json(&order)).await;
    reply.is_problem(400, "idempotency-key-missing");
    for key in ["", "two words", &"k".repeat(256)] {
        let request = shop
            .rest(1, "POST", "/v1/orders")
            .header("idempotency-key", key);
        Reply::to(request.json(&order))
            .await
            .is_problem(400, "idempotency-key-invalid");
    }
}

#[actix_web::test]
async fn strangers_see_nothing() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let id = order["id"].as_str().unwrap();
    let path = format!("/v1/orders/{id}");
    Reply::to(shop.rest(2, "GET", &path))
        .await
        .is_problem(404, "order-not-found");
    let query = format!("{{ order(id: \"{id}\") {{ id }} }}");
    assert_eq!(shop.ask(2, &query, json!({})).await.code(), "NOT_FOUND");
    assert_eq!(listed(&shop, 2).await, 0);

    for (method, path) in [
        ("GET", path.as_str()),
        ("GET", "/v1/orders"),
        ("POST", "/v1/orders"),
    ] {
        Reply::to(shop.call(method, path))
            .await
            .is_problem(401, "unauthenticated");
        let forged = shop.call(method, path).header("authorization", "Bearer x");
        Reply::to(forged).await.is_problem(401, "invalid-token");
    }
    for query in [
        query.as_str(),
        "{ orders(first: 1) { edges { cursor } } }",
        "{ me { id } }",
    ] {
        let reply = shop.query(query).await;
        assert_eq!(
            (reply.status, reply.code()),
            (200, "UNAUTHENTICATED"),
            "{query}"
        );
    }
    let product = shop.product().await;
    let anonymous = json!({"query": PLACE, "variables": input("k", &product, 1)});
    assert_eq!(
        Reply::to(shop.post(&anonymous)).await.code(),
        "UNAUTHENTICATED"
    );
}

#[actix_web::test]
async fn orders_are_listed_newest_first_and_new_ones_disturb_no_page() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let mut placed = Vec::new();
    for _ in 0..4 {
        shop.clock.advance(chrono::TimeDelta::seconds(1));
        placed.insert(0, shop.place(1, &product).await["id"].clone());
    }
    let page = "query($after: String) { orders(first: 2, after: $after) {
        edges { node { id lines { quantity product { name } } history { status } } }
        pageInfo { endCursor hasNextPage }
    } }";
    let first = shop.ask(1, page, json!({})).await.body["data"]["orders"].clone();
    assert_eq!(first["edges"][0]["node"]["lines"][0]["quantity"], 1);
    shop.clock.advance(chrono::TimeDelta::seconds(1));
    shop.place(1, &product).await;
    let after = json!({"after": first["pageInfo"]["endCursor"]});
    let second = shop.ask(1, page, after).await.body["data"]["orders"].clone();
    let ids = |page: &Value| [0, 1].map(|row| page["edges"][row]["node"]["id"].clone());
    assert_eq!([ids(&first), ids(&second)].concat(), placed);
    assert_eq!(second["pageInfo"]["hasNextPage"], false);

    let rest = Reply::to(shop.rest(1, "GET", "/v1/orders?first=1")).await;
    let next = rest.body["page"]["next"].as_str().unwrap();
    let rest = Reply::to(shop.rest(1, "GET", &format!("/v1/orders?first=1&after={next}"))).await;
    assert_eq!(rest.body["items"][0]["id"], placed[0]);
    // A cursor of one list is none of the other.
    let astray = Reply::to(shop.call("GET", &format!("/v1/products?after={next}"))).await;
    astray.is_problem(400, "invalid-cursor");
}

#[actix_web::test]
async fn me_is_who_the_token_says() {
    let shop = Shop::open().await;
    let reply = shop.ask(5, "{ me { id roles } }", json!({})).await;
    let id = Uuid::from_u128(5).to_string();
    assert_eq!(
        reply.body["data"]["me"],
        json!({"id": id, "roles": ["customer"]})
    );
}
