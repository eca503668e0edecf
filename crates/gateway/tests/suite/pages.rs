//! The pages and the documents: served from the program itself.

use gateway::{declared_routes, openapi, schema_sdl};
use serde_json::Value;

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
        ("PUT", "/v2/products", "GET, HEAD"),
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
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name}");
            assert!(operation["operationId"].is_string(), "{name}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_empty = ["204", "304"].contains(&status.as_str());
                assert!(is_empty || response["content"].is_object(), "{name}");
            }
            let limited = &operation["responses"]["429"]["content"];
            assert!(limited["application/problem+json"].is_object(), "{name}");
        }
    }
    let routes = declared_routes().into_iter();
    let rest = routes.filter(|route| route.path.starts_with("/v") && !route.path.contains("//"));
    assert_eq!(operations, rest.count());
}

/// Whether a value is one of a schema, as far as objects, lists and names go.
fn assert_fits(value: &Value, schema: &Value, document: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return assert_fits(value, schema, document, place);
    }
    match value {
        Value::Object(fields) => {
            let known = schema["properties"].as_object().unwrap();
            for (name, field) in fields {
                let schema = known
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}: no {name}"));
                assert_fits(field, schema, document, &format!("{place}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                assert!(fields.contains_key(name), "{place}: {name} is missing");
            }
        }
        Value::Array(items) => {
            for item in items {
                assert_fits(item, &schema["items"], document, &format!("{place}[]"));
            }
        }
        Value::String(_) => assert!(schema.to_string().contains("string"), "{place}"),
        Value::Number(_) => assert!(schema.to_string().contains("integer"), "{place}"),
        Value::Bool(_) | Value::Null => {}
    }
}

#[test]
fn every_answer_has_an_example_that_fits_its_schema() {
    let document = serde_json::to_value(openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = &response["content"]["application/json"];
                if !status.starts_with('2') || content.is_null() {
                    continue;
                }
                let name = format!("{method} {path} {status}");
                assert!(content["example"].is_object(), "{name}: no example");
                assert_fits(&content["example"], &content["schema"], &document, &name);
            }
        }
    }
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
