//! A person's way from registration to a confirmed order.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::http::send;

use crate::support::{PASSWORD, System, order_body};

const EMAIL: &str = "ada@plumbline.test";

const PRODUCTS: &str = "{ products(first: 3) {
  edges { cursor node { id name description price { amount currency } available } }
  pageInfo { hasNextPage endCursor }
} }";
const PRODUCT: &str = "query($id: ID!) { product(id: $id) { id name price { amount currency } } }";
const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
  order { id number status total { amount currency } }
  userErrors { code message field }
} }";
const ORDER: &str = "query($id: ID!) { order(id: $id) {
  id number status total { amount currency } createdAt
  lines { productId name quantity unitPrice { amount currency } total { amount currency } }
  history { status at }
} }";
const ORDERS: &str = "{ orders(first: 10) { edges { node { id status } } } }";

#[tokio::test]
async fn a_person_registers_confirms_logs_in_refreshes_and_sees_who_they_are() {
    let system = System::start().await;
    let auth = &system.auth;
    let registration = json!({"email": EMAIL, "password": PASSWORD, "name": "Ada"});
    let registered = auth.post("/auth/v1/users", &registration).await;
    assert_eq!(registered.expect_status(202).json::<Value>(), json!({}));

    let credentials = json!({"email": EMAIL, "password": PASSWORD});
    let early = auth.post("/auth/v1/sessions", &credentials).await;
    let _ = early.expect_problem(403, "email-unverified");

    let token = json!({ "token": system.mail.token(EMAIL).await });
    let confirm = "/auth/v1/email-verifications/confirm";
    let _ = auth.post(confirm, &token).await.expect_status(204);
    let _ = auth
        .post(confirm, &token)
        .await
        .expect_problem(400, "invalid-mail-token");

    let session = auth.post("/auth/v1/sessions", &credentials).await;
    let session: Value = session.expect_status(201).json();
    assert_eq!(session["token_type"], "Bearer");
    assert!(session["expires_in"].as_i64().unwrap() > 0, "{session:#}");

    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let refreshed = auth.post("/auth/v1/tokens/refresh", &refresh).await;
    let refreshed: Value = refreshed.expect_status(200).json();
    assert_eq!(refreshed["session_id"], session["session_id"]);
    assert_ne!(refreshed["refresh_token"], session["refresh_token"]);

    let me = auth.with_bearer(refreshed["access_token"].as_str().unwrap());
    let me: Value = me.get("/auth/v1/me").await.expect_status(200).json();
    assert_eq!((&me["email"], &me["name"]), (&json!(EMAIL), &json!("Ada")));
    assert_eq!(
        (&me["email_verified"], &me["roles"]),
        (&json!(true), &json!(["customer"]))
    );
    system.stop().await;
}

#[tokio::test]
async fn an_order_placed_over_graphql_is_watched_until_it_is_confirmed() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let page = system.gateway.graphql(PRODUCTS, json!({})).await;
    let product = &page["products"]["edges"][0]["node"];
    assert_eq!(page["products"]["pageInfo"]["hasNextPage"], true);
    let same = system
        .gateway
        .graphql(PRODUCT, json!({"id": product["id"]}))
        .await;
    assert_eq!(same["product"]["price"], product["price"]);

    let input = json!({"input": {
        "idempotencyKey": "journey-1",
        "lines": [{"productId": product["id"], "quantity": 2}],
        "paymentMethod": "pm_card_visa",
    }});
    let placed = ada.gateway.graphql(PLACE, input).await;
    assert_eq!(placed["placeOrder"]["userErrors"], json!([]));
    let order = &placed["placeOrder"]["order"];
    assert_eq!(order["status"], "PLACED");
    let price = product["price"]["amount"].as_i64().unwrap();
    assert_eq!(order["total"]["amount"], 2 * price);

    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    let orders = ada.gateway.graphql(ORDERS, json!({})).await;
    let expected = json!([{"node": {"id": id, "status": "CONFIRMED"}}]);
    assert_eq!(orders["orders"]["edges"], expected);

    let charges = system.charges(id).await;
    assert_eq!(charges.len(), 1, "charged once: {charges:#?}");
    assert_eq!(charges[0]["amount"], 2 * price);
    system.stop().await;
}

#[tokio::test]
async fn an_order_placed_over_rest_reads_the_same_over_graphql() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let request = ada
        .gateway
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", "journey-2")
        .json(&order_body(&product, 1, "pm_card_visa"));
    let placed = send(request).await.expect_status(201);
    let order: Value = placed.json();
    let id = order["id"].as_str().unwrap();
    let path = format!("/v1/orders/{id}");
    assert_eq!(placed.header("location"), Some(path.as_str()));
    assert_eq!(order["status"], "PLACED");

    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    let by_rest = ada.order(id).await;
    let mut by_graphql = ada.gateway.graphql(ORDER, json!({"id": id})).await;
    assert_eq!(by_rest, as_in_rest(by_graphql["order"].take()));
    let states: Vec<_> = history(&by_rest);
    assert_eq!(states.first(), Some(&"PLACED"));
    assert_eq!(states.last(), Some(&"CONFIRMED"));

    let list: Value = ada.gateway.get("/v1/orders?first=10").await.json();
    assert_eq!(list["items"], json!([by_rest]));
    system.stop().await;
}

fn history(order: &Value) -> Vec<&str> {
    let entries = order["history"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["status"].as_str().unwrap())
        .collect()
}

/// A GraphQL object with its fields named as REST names them.
fn as_in_rest(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let renamed = fields.into_iter().map(|(name, value)| {
                let name = name.chars().fold(String::new(), |mut name, character| {
                    if character.is_ascii_uppercase() {
                        name.push('_');
                    }
                    name.push(character.to_ascii_lowercase());
                    name
                });
                (name, as_in_rest(value))
            });
            Value::Object(renamed.collect())
        }
        Value::Array(items) => items.into_iter().map(as_in_rest).collect(),
        other => other,
    }
}
