//! Changing the catalogue over GraphQL, and what only staff may read.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Reply, Shop};

const ADMIN: &str = "admin";

async fn as_role(shop: &Shop, role: &str, query: &str, variables: Value) -> Reply {
    let token = shop
        .tokens
        .with_role(Uuid::from_u128(99), role, "plumbline");
    let body = json!({ "query": query, "variables": variables });
    Reply::to(shop.post(&body).header("authorization", token)).await
}

/// The codes and fields of the user errors of the one mutation of a document.
async fn user_errors(shop: &Shop, mutation: &str, input: Value) -> Vec<(String, String)> {
    let mut name = mutation.to_owned();
    name[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {name}Input!) {{
           {mutation}(input: $input) {{ product {{ id }} userErrors {{ code message field }} }}
         }}"
    );
    let reply = as_role(shop, ADMIN, &query, json!({ "input": input })).await;
    let payload = &reply.body["data"][mutation];
    let errors = payload["userErrors"].as_array();
    let errors = errors.unwrap_or_else(|| panic!("{reply:?}"));
    assert_eq!(
        payload["product"].is_null(),
        !errors.is_empty(),
        "{reply:?}"
    );
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors
        .iter()
        .inspect(|error| assert!(!text(&error["message"]).is_empty()))
        .map(|error| (text(&error["code"]), text(&error["field"])))
        .collect()
}

fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(code, field): &(&str, &str)| (code.to_owned(), field.to_owned());
    pairs.iter().map(owned).collect()
}

fn euros(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

#[actix_web::test]
async fn a_product_that_can_not_be_is_refused_field_by_field() {
    let shop = Shop::open().await;
    let odd = json!({
        "idempotencyKey": "two words", "name": "x", "price": {"amount": 1, "currency": "euro"},
    });
    let expected = told(&[
        ("idempotency-key-invalid", "idempotencyKey"),
        ("invalid", "price.currency"),
    ]);
    assert_eq!(user_errors(&shop, "createProduct", odd).await, expected);
    let odd = json!({
        "idempotencyKey": "key", "name": " ", "description": "\u{7}", "price": euros(0),
        "stock": -1,
    });
    let expected = told(&[
        ("invalid", "name"),
        ("invalid", "description"),
        ("out_of_range", "price.amount"),
        ("out_of_range", "stock"),
    ]);
    assert_eq!(user_errors(&shop, "createProduct", odd).await, expected);
    let fine = |name| json!({ "idempotencyKey": "key", "name": name, "price": euros(1) });
    assert_eq!(user_errors(&shop, "createProduct", fine("One")).await, []);
    assert_eq!(user_errors(&shop, "createProduct", fine("One")).await, []);
    let expected = told(&[("idempotency-key-reused", "idempotencyKey")]);
    assert_eq!(
        user_errors(&shop, "createProduct", fine("Other")).await,
        expected
    );
}

#[actix_web::test]
async fn a_change_that_can_not_be_is_refused_and_tells_why() {
    let shop = Shop::open().await;
    let id = shop.product().await;
    let nobodys = Uuid::from_u128(1).to_string();
    for (mutation, input, expected) in [
        (
            "updateProduct",
            json!({"id": id, "version": 1}),
            ("required", "name"),
        ),
        (
            "updateProduct",
            json!({"id": id, "version": 2, "name": "New"}),
            ("version-conflict", "version"),
        ),
        (
            "updateProduct",
            json!({"id": "nonsense", "version": 1, "name": "New"}),
            ("product-not-found", "id"),
        ),
        (
            "updateProduct",
            json!({"id": nobodys, "version": 1, "name": "New"}),
            ("product-not-found", ""),
        ),
        (
            "updateProduct",
            json!({"id": id, "version": 1, "price": euros(100_000_000)}),
            ("out_of_range", "price.amount"),
        ),
        (
            "adjustStock",
            json!({"idempotencyKey": "1", "productId": id, "delta": -1_000_001}),
            ("insufficient-stock", "delta"),
        ),
        (
            "adjustStock",
            json!({"idempotencyKey": "1", "productId": id, "delta": 0}),
            ("out_of_range", "delta"),
        ),
        (
            "adjustStock",
            json!({"idempotencyKey": "1", "productId": "nonsense", "delta": 1}),
            ("product-not-found", "productId"),
        ),
    ] {
        let seen = user_errors(&shop, mutation, input.clone()).await;
        assert_eq!(seen, told(&[expected]), "{mutation} {input}");
    }
}

#[actix_web::test]
async fn a_change_is_seen_at_once_where_it_was_made() {
    let shop = Shop::open().await;
    let id = shop.product().await;
    let path = format!("/v1/products/{id}");
    for version in 1..4 {
        let name = format!("Name {version}");
        let input = json!({ "id": id, "version": version, "name": name });
        assert_eq!(user_errors(&shop, "updateProduct", input).await, []);
        let read = Reply::to(shop.call("GET", &path)).await;
        assert_eq!(read.body["name"], name);
    }
}

const ALL: &str = "query($filter: OrderFilter) {
  allOrders(first: 10, filter: $filter) { edges { node { id payment { status } } } }
}";

#[actix_web::test]
async fn support_finds_orders_by_what_they_know_of_them() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let of_one = shop.place(1, &product).await;
    shop.clock.advance(TimeDelta::seconds(1));
    let of_two = shop.place(2, &product).await;
    let found = async |filter: Value| {
        let reply = as_role(&shop, "support", ALL, json!({ "filter": filter })).await;
        assert_eq!(reply.body.get("errors"), None, "{reply:?}");
        let edges = reply.body["data"]["allOrders"]["edges"].as_array().unwrap();
        edges
            .iter()
            .map(|edge| edge["node"]["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(json!(null)).await,
        [of_two["id"].clone(), of_one["id"].clone()]
    );
    let customer = Uuid::from_u128(1).to_string();
    assert_eq!(
        found(json!({ "customerId": customer })).await,
        [of_one["id"].clone()]
    );
    assert_eq!(
        found(json!({"number": of_two["number"]})).await,
        [of_two["id"].clone()]
    );
    assert_eq!(
        found(json!({"status": "CONFIRMED"})).await,
        Vec::<Value>::new()
    );
    let since = of_one["created_at"].clone();
    assert_eq!(found(json!({ "createdFrom": since })).await.len(), 2);
    assert_eq!(
        found(json!({ "createdBefore": since })).await,
        Vec::<Value>::new()
    );
    for odd in [
        json!({"customerId": "nonsense"}),
        json!({"number": "PL 1"}),
        json!({"number": ""}),
        json!({"createdFrom": "+10000-01-01T00:00:00Z"}),
    ] {
        let reply = as_role(&shop, "support", ALL, json!({ "filter": odd })).await;
        assert_eq!(reply.code(), "BAD_USER_INPUT", "{odd}: {reply:?}");
    }
}

#[actix_web::test]
async fn the_old_name_of_a_lines_product_goes_on_to_answer() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let query = "query($id: ID!) { order(id: $id) { lines { name productName } } }";
    let reply = shop.ask(1, query, json!({"id": order["id"]})).await;
    let line = &reply.body["data"]["order"]["lines"][0];
    assert!(
        line["name"].is_string() && line["name"] == line["productName"],
        "{reply:?}"
    );
    let query = "{ __type(name: \"OrderLine\") {
      fields(includeDeprecated: true) { name isDeprecated deprecationReason }
    } }";
    let fields = shop.query(query).await.body["data"]["__type"]["fields"].take();
    let deprecated: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| field["isDeprecated"] == true)
        .collect();
    assert_eq!(deprecated.len(), 1);
    assert_eq!(deprecated[0]["name"], "name");
    let reason = deprecated[0]["deprecationReason"].as_str().unwrap();
    assert!(reason.contains("productName"), "{reason}");
}
