//! The pages and the documents: served from the program itself.

use gateway::{openapi, schema_sdl};

use crate::support::{Reply, Shop};

#[actix_web::test]
async fn pages_are_served_with_a_policy_that_lets_nothing_else_in() {
    let shop = Shop::open().await;
    for path in ["/", "/docs/"] {
        let response = shop.call("GET", path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            !policy.contains("http") && !policy.contains("unsafe-eval"),
            "{policy}"
        );
        let scripts = policy.contains("script-src 'self'") || policy.contains("default-src 'self'");
        assert!(scripts, "{policy}");
        assert!(
            !policy.contains("script-src 'self' 'unsafe-inline'"),
            "{policy}"
        );
    }
    let page = shop
        .call("GET", "/")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for link in ["/graphql", "/docs", "/auth/docs", "/dev/mailbox"] {
        assert!(page.contains(&format!("href=\"{link}")), "{link}");
    }
}

#[actix_web::test]
async fn other_methods_are_refused_everywhere() {
    let shop = Shop::open().await;
    for (method, path, allowed) in [
        ("POST", "/", "GET, HEAD"),
        ("PUT", "/assets/console/icon.svg", "GET, HEAD"),
        ("DELETE", "/docs/", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("GET", "/webhooks/stripe", "POST"),
        ("DELETE", "/v1/orders", "GET, HEAD, POST"),
    ] {
        let reply = Reply::to(shop.call(method, path)).await;
        reply.is_problem(405, "method-not-allowed");
        assert_eq!(reply.header("allow"), allowed, "{path}");
    }
}

#[actix_web::test]
async fn the_openapi_document_is_3_1_and_every_operation_is_described() {
    let shop = Shop::open().await;
    let document = Reply::to(shop.call("GET", "/openapi.json")).await.body;
    assert!(
        document["openapi"].as_str().unwrap().starts_with("3.1"),
        "{document}"
    );
    assert_eq!(document, serde_json::to_value(openapi()).unwrap());
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["operationId"].is_string(), "{method} {path}");
            for response in operation["responses"].as_object().unwrap().values() {
                assert!(response["content"].is_object(), "{method} {path}");
            }
        }
    }
    assert_eq!(operations, 5);
}

#[test]
fn the_schema_has_what_other_programs_rely_on() {
    let schema = schema_sdl();
    for part in [
        "placeOrder(input: PlaceOrderInput!): PlaceOrderPayload",
        "orders(first: Int, after: String, last: Int, before: String): OrderConnection",
        "order(id: ID!): Order",
        "product(id: ID!): Product",
        "orderUpdated(orderId: ID!): Order!",
        "myOrders: Order!",
        "type ProductConnection",
        "type OrderConnection",
        "STOCK_RESERVED",
        "userErrors: [UserError!]!",
    ] {
        assert!(schema.contains(part), "{part} is missing in:\n{schema}");
    }
}
