//! The headers of every kind of answer.

use reqwest::Method;
use serde_json::json;
use testkit::http::{Response, send};

use crate::support::{Customer, System, order_body};

#[tokio::test]
async fn every_answer_is_hardened_and_names_its_request() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    for (method, path, body, status) in [
        (Method::GET, "/auth/v1/me", String::new(), 200),
        (Method::GET, "/v1/products", String::new(), 200),
        (Method::GET, "/v1/nothing", String::new(), 404),
        (Method::GET, "/nothing/at/all", String::new(), 404),
        (Method::GET, "/auth/nothing", String::new(), 404),
        (Method::DELETE, "/v1/orders", String::new(), 405),
        (Method::GET, "/webhooks/stripe", String::new(), 405),
        (Method::DELETE, "/graphql", String::new(), 405),
        (Method::GET, "/auth/v1/sessions", String::new(), 405),
        (Method::POST, "/v1/orders", "x".repeat(100_000), 413),
        (Method::POST, "/auth/v1/sessions", "x".repeat(100_000), 413),
        (
            Method::POST,
            "/v1/orders",
            order_body(&product, 0, "x").to_string(),
            422,
        ),
        (Method::POST, "/auth/v1/users", json!({}).to_string(), 422),
    ] {
        let answer = ask(&ada, method, path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        check_hardened(path, &answer);
        assert_eq!(answer.header("x-request-id"), Some("suite-1"), "{path}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{path}");
    }
    system.stop().await;
}

#[tokio::test]
async fn a_request_id_that_is_none_is_replaced() {
    let system = System::start().await;
    for odd in ["", "with space", &"x".repeat(65)] {
        let request = system.gateway.request(Method::GET, "/health/live");
        let answer = send(request.header("x-request-id", odd)).await;
        let id = answer.header("x-request-id").unwrap();
        assert!(!id.is_empty() && id != odd && id.len() <= 64, "{id}");
    }
    let first = system.gateway.get("/v1/nothing").await;
    let id = first.header("x-request-id").unwrap().to_owned();
    assert_eq!(first.expect_problem(404, "not-found")["request_id"], id);
    system.stop().await;
}

#[tokio::test]
async fn pages_load_from_their_own_server_only() {
    let system = System::start().await;
    for (client, path) in [
        (&system.gateway, "/"),
        (&system.gateway, "/graphql"),
        (&system.gateway, "/docs/"),
        (&system.auth, "/auth/docs/"),
    ] {
        let request = client
            .request(Method::GET, path)
            .header("accept", "text/html");
        let page = send(request).await.expect_status(200);
        let kind = page.header("content-type").unwrap();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("http") && !policy.contains("unsafe-eval"),
            "{path}: {policy}"
        );
        assert_eq!(
            page.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
    system.stop().await;
}

async fn ask(customer: &Customer, method: Method, path: &str, body: String) -> Response {
    let request = customer.at(path).request(method, path);
    let request = request.header("x-request-id", "suite-1");
    let request = request.header("idempotency-key", "headers");
    send(
        request
            .header("content-type", "application/json")
            .body(body),
    )
    .await
}

fn check_hardened(path: &str, answer: &Response) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{path}: {name}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
    assert_eq!(answer.header("server"), None, "{path}");
    assert_eq!(answer.header("x-powered-by"), None, "{path}");
}
