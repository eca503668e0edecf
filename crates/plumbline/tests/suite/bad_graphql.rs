//! Whatever comes in over GraphQL: a stable code, no 5xx, and nothing written.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::http::send;

use crate::support::{System, graphql_code};

const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
  order { id } userErrors { code field }
} }";

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let system = System::start().await;
    let post = |kind: &'static str, body: String| {
        let request = system.gateway.request(Method::POST, "/graphql");
        send(request.header("content-type", kind).body(body))
    };
    let json = "application/json";
    for (kind, body, status, code) in [
        (json, String::new(), 400, "BAD_REQUEST"),
        (json, "{".to_owned(), 400, "BAD_REQUEST"),
        (json, "[]".to_owned(), 400, "BAD_REQUEST"),
        (json, "null".to_owned(), 400, "BAD_REQUEST"),
        (json, "{}".to_owned(), 400, "BAD_REQUEST"),
        (json, json!({"query": 1}).to_string(), 400, "BAD_REQUEST"),
        (
            json,
            json!({"query": "{ me { id } }", "variables": []}).to_string(),
            400,
            "BAD_REQUEST",
        ),
        (
            "text/plain",
            json!({"query": "{ me { id } }"}).to_string(),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "multipart/form-data; boundary=x",
            "--x".to_owned(),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (json, "x".repeat(8 << 20), 413, "PAYLOAD_TOO_LARGE"),
    ] {
        let start = body.chars().take(60).collect::<String>();
        let answer = post(kind, body).await;
        assert_eq!(
            (answer.status, graphql_code(&answer).as_str()),
            (status, code),
            "{start}"
        );
    }
    let mutation = "/graphql?query=mutation%7BplaceOrder(input:%7BidempotencyKey:%22k%22,lines:[],paymentMethod:%22x%22%7D)%7BuserErrors%7Bcode%7D%7D%7D";
    let by_get = system.gateway.get(mutation).await;
    assert_eq!(
        (by_get.status, graphql_code(&by_get).as_str()),
        (405, "METHOD_NOT_ALLOWED")
    );
    assert_eq!(by_get.header("allow"), Some("POST"));
    system.stop().await;
}

#[tokio::test]
async fn documents_and_values_that_do_not_fit_are_refused() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let nested = format!("{}id{}", "{ me ".repeat(100), " }".repeat(100));
    for (query, variables, code) in [
        ("{", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("\u{0}", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ me }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        (&nested, json!({}), "DOCUMENT_TOO_DEEP"),
        (
            "{ ...A } fragment A on Query { ...A }",
            json!({}),
            "FRAGMENT_CYCLE",
        ),
        (
            "{ orders(first: 0) { edges { cursor } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ orders(first: -1) { edges { cursor } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ orders { edges { cursor } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ products(first: 101) { edges { cursor } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ products(first: 1, after: \"x\") { edges { cursor } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ product(id: \"nonsense\") { id } }",
            json!({}),
            "NOT_FOUND",
        ),
        ("{ order(id: \"nonsense\") { id } }", json!({}), "NOT_FOUND"),
        (
            "{ order(id: \"01890000-0000-7000-8000-000000000000\") { id } }",
            json!({}),
            "NOT_FOUND",
        ),
    ] {
        let body = json!({ "query": query, "variables": variables });
        let answer = ada.gateway.post("/graphql", &body).await;
        assert!(answer.status < 500, "{query}: {}", answer.text());
        assert_eq!(graphql_code(&answer), code, "{query}");
    }
    system.stop().await;
}

#[tokio::test]
async fn orders_with_odd_values_are_not_placed() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let input = |key: &str, product: &str, quantity: i64, method: &str| {
        json!({
            "idempotencyKey": key,
            "lines": [{"productId": product, "quantity": quantity}],
            "paymentMethod": method,
        })
    };
    let visa = "pm_card_visa";
    for (input, field) in [
        (input("", &product, 1, visa), "idempotencyKey"),
        (input("two words", &product, 1, visa), "idempotencyKey"),
        (input("k", &product, 0, visa), "lines[0].quantity"),
        (input("k", &product, -1, visa), "lines[0].quantity"),
        (input("k", &product, 1001, visa), "lines[0].quantity"),
        (input("k", "nonsense", 1, visa), "lines[0].productId"),
        (
            input("k", "01890000-0000-7000-8000-000000000000", 1, visa),
            "lines[0].productId",
        ),
        (input("k", &product, 1, ""), "paymentMethod"),
        (input("k", &product, 1, "4242 4242"), "paymentMethod"),
        (
            json!({"idempotencyKey": "k", "lines": [], "paymentMethod": visa}),
            "lines",
        ),
    ] {
        let variables = json!({ "input": input });
        let payload = ada.gateway.graphql(PLACE, variables).await["placeOrder"].take();
        assert_eq!(payload["order"], json!(null), "{input}");
        assert_eq!(
            payload["userErrors"][0]["field"], field,
            "{input}: {payload}"
        );
        assert!(payload["userErrors"][0]["code"].is_string(), "{payload}");
    }
    for input in [
        json!({}),
        json!(null),
        json!({"lines": [], "paymentMethod": visa}),
        input("k", &product, i64::MAX, visa),
        json!({"idempotencyKey": 1, "lines": "none", "paymentMethod": []}),
        json!({"idempotencyKey": "k", "lines": [], "paymentMethod": visa, "total": 1}),
    ] {
        let body = json!({"query": PLACE, "variables": {"input": input}});
        let answer = ada.gateway.post("/graphql", &body).await;
        assert!(answer.status < 500, "{input}: {}", answer.text());
        let code = graphql_code(&answer);
        let known = ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "BAD_REQUEST"];
        assert!(known.contains(&code.as_str()), "{input}: {code}");
        assert_eq!(
            answer.json::<Value>()["data"]["placeOrder"],
            json!(null),
            "{input}"
        );
    }
    assert_eq!(ada.order_count().await, 0);
    system.stop().await;
}
