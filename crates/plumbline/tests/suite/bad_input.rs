//! Whatever comes in, the answer is a 4xx with a stable code, and nothing is written.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::http::{Response, send};

use crate::support::{Customer, System, graphql_code, order_body, refused};

#[tokio::test]
async fn identity_refuses_values_that_are_none() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let user = |email: &str, password: &str, name: &str| json!({"email": email, "password": password, "name": name});
    let good = "a long enough passphrase";
    for (path, body, status, code) in [
        (
            "/auth/v1/users",
            user("nonsense", good, "Eve"),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            user("eve@plumbline.test\u{0}", good, "Eve"),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            user("eve@plumbline.test", "short", "Eve"),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            user("eve@plumbline.test", &"p".repeat(5_000), "Eve"),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            user("eve@plumbline.test", good, ""),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            user("eve@plumbline.test", good, "E\u{0}ve"),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            json!({"email": 1, "password": [], "name": {}}),
            422,
            "validation",
        ),
        (
            "/auth/v1/users",
            admin(user("eve@plumbline.test", good, "Eve")),
            422,
            "validation",
        ),
        (
            "/auth/v1/email-verifications/confirm",
            json!({"token": "nonsense"}),
            400,
            "invalid-mail-token",
        ),
        (
            "/auth/v1/email-verifications/confirm",
            json!({"token": "\u{0}"}),
            400,
            "invalid-mail-token",
        ),
        (
            "/auth/v1/email-verifications/confirm",
            json!({"token": null}),
            422,
            "validation",
        ),
        (
            "/auth/v1/sessions",
            json!({"email": ada.email, "password": "wrong"}),
            401,
            "invalid-credentials",
        ),
        (
            "/auth/v1/sessions",
            json!({"email": "nobody@plumbline.test", "password": good}),
            401,
            "invalid-credentials",
        ),
        (
            "/auth/v1/sessions",
            json!({"email": "nonsense", "password": "\u{0}"}),
            422,
            "validation",
        ),
        (
            "/auth/v1/sessions",
            json!({"email": ada.email, "password": 7}),
            422,
            "validation",
        ),
        (
            "/auth/v1/tokens/refresh",
            json!({"refresh_token": "nonsense"}),
            401,
            "refresh-invalid",
        ),
        (
            "/auth/v1/tokens/refresh",
            json!({"refresh_token": ada.access_token}),
            401,
            "refresh-invalid",
        ),
    ] {
        let answer = ada.auth.post(path, &body).await;
        refused(&answer, status, code, path, body.to_string().as_bytes());
    }
    system.stop().await;
}

fn admin(mut user: Value) -> Value {
    user["roles"] = json!(["admin"]);
    user
}

#[tokio::test]
async fn orders_with_odd_values_are_refused_and_not_placed() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let line = |quantity: Value| json!({"lines": [{"product_id": product, "quantity": quantity}], "payment_method": "pm_card_visa"});
    let unknown = "01890000-0000-7000-8000-000000000000";
    let twice = json!({"product_id": product, "quantity": 1});
    for body in [
        line(json!(0)),
        line(json!(-1)),
        line(json!(1001)),
        line(json!(i64::MIN)),
        line(json!(1e30)),
        line(json!(1.5)),
        line(json!("1")),
        line(json!(null)),
        order_body("nonsense", 1, "pm_card_visa"),
        order_body(unknown, 1, "pm_card_visa"),
        order_body(&product, 1, ""),
        order_body(&product, 1, "4242 4242 4242 4242"),
        order_body(&product, 1, "pm\u{0}"),
        order_body(&product, 1, &"x".repeat(1_000)),
        json!({"lines": [], "payment_method": "pm_card_visa"}),
        json!({"lines": [twice, twice], "payment_method": "pm_card_visa"}),
        json!({"lines": vec![twice; 51], "payment_method": "pm_card_visa"}),
        json!({"lines": [{"product_id": product, "quantity": 1, "price": 1}], "payment_method": "x"}),
        json!({"lines": [{"product_id": product, "quantity": 1}], "payment_method": "x", "total": 1}),
    ] {
        let text = body.to_string();
        let answer = post(
            &ada,
            "/v1/orders",
            "application/json",
            text.clone().into_bytes(),
        )
        .await;
        refused(&answer, 422, "validation", "/v1/orders", text.as_bytes());
        assert!(
            answer.json::<Value>()["errors"][0]["field"].is_string(),
            "{text}"
        );
    }
    assert_eq!(ada.order_count().await, 0);
    system.stop().await;
}

#[tokio::test]
async fn addresses_that_name_nothing_are_refused() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    for (path, status, code) in [
        (
            "/v1/products?first=1&last=1".to_owned(),
            400,
            "invalid-page-size",
        ),
        (
            "/v1/products?first=many".to_owned(),
            400,
            "malformed-request",
        ),
        ("/v1/products?limit=1".to_owned(), 400, "malformed-request"),
        (
            "/v1/products?after=nonsense".to_owned(),
            400,
            "invalid-cursor",
        ),
        ("/v1/products?search=a%00b".to_owned(), 422, "validation"),
        ("/v1/orders?first=0".to_owned(), 400, "invalid-page-size"),
        ("/v1/orders?before=%00".to_owned(), 400, "invalid-cursor"),
        (
            "/v1/orders?first=99999999999999999999".to_owned(),
            400,
            "malformed-request",
        ),
        (format!("/v1/products/{unknown}"), 404, "product-not-found"),
        ("/v1/products/nonsense".to_owned(), 404, "product-not-found"),
        ("/v1/products/%00".to_owned(), 404, "product-not-found"),
        (format!("/v1/orders/{unknown}"), 404, "order-not-found"),
        ("/v1/orders/nonsense".to_owned(), 404, "order-not-found"),
        ("/v1/orders/%ff".to_owned(), 404, "order-not-found"),
        ("/v1/nothing".to_owned(), 404, "not-found"),
        ("/auth/v1/nothing".to_owned(), 404, "not-found"),
        ("/assets/../../etc/passwd".to_owned(), 404, "not-found"),
        ("/docs/nothing".to_owned(), 404, "not-found"),
    ] {
        let answer = ada.at(&path).get(&path).await;
        refused(&answer, status, code, &path, b"");
    }
    system.stop().await;
}

#[tokio::test]
async fn tokens_that_are_none_are_refused() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let (head, rest) = ada.access_token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let cut = format!("{head}.{claims}.{}", &signature[..signature.len() - 4]);
    let long = format!("{}{}", ada.access_token, "x".repeat(4_000));
    for token in ["nonsense", "a.b.c", "..", &unsigned, &cut, &long] {
        for path in ["/auth/v1/me", "/v1/orders"] {
            let answer = ada.at(path).with_bearer(token).get(path).await;
            refused(&answer, 401, "invalid-token", path, token.as_bytes());
        }
        let query = json!({"query": "{ me { id } }"});
        let answer = system
            .gateway
            .with_bearer(token)
            .post("/graphql", &query)
            .await;
        assert_eq!(
            (answer.status, graphql_code(&answer)),
            (401, "UNAUTHENTICATED".to_owned())
        );
    }
    system.stop().await;
}

async fn post(customer: &Customer, path: &str, content_type: &str, body: Vec<u8>) -> Response {
    let request = customer.at(path).request(Method::POST, path);
    let request = request.header("idempotency-key", "bad-input");
    send(request.header("content-type", content_type).body(body)).await
}
