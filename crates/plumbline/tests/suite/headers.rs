//! The headers of every kind of answer.

use reqwest::Method;
use testkit::http::{Response, send};

use crate::support::{System, concrete};

#[tokio::test]
async fn every_answer_of_every_route_is_hardened_and_names_its_request() {
    let system = System::start().await;
    let routes = plumbline::declared_routes();
    for route in &routes {
        let path = concrete(&route.path);
        if System::is_distributed() && path == "/dev/mailbox" {
            continue;
        }
        let method: Method = route.method.as_str().parse().unwrap();
        let answer = ask(&system, method, &path).await;
        check_hardened(&route.path, &answer);

        let of_path = routes.iter().filter(|other| other.path == route.path);
        let known: Vec<_> = of_path.map(|route| route.method.as_str()).collect();
        let others = [Method::DELETE, Method::PUT, Method::PATCH];
        let mut others = others.into_iter();
        let other = others
            .find(|other| !known.contains(&other.as_str()))
            .unwrap();
        let answer = ask(&system, other, &path).await;
        assert_eq!(answer.status, 405, "{path}: {}", answer.text());
        check_hardened(&route.path, &answer);
        let allowed: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
        for method in known {
            assert!(allowed.contains(&method), "{path}: {allowed:?}");
        }
    }
    for path in [
        "/v1/nothing",
        "/nothing/at/all",
        "/auth/nothing",
        "/auth/v1/nothing",
    ] {
        let answer = ask(&system, Method::GET, path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        check_hardened(path, &answer);
        assert_eq!(answer.header("allow"), None, "{path}");
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

async fn ask(system: &System, method: Method, path: &str) -> Response {
    let request = system.at(path).request(method, path);
    send(request.header("x-request-id", "suite-1")).await
}

/// Fails unless the answer carries what every answer carries.
pub fn check_hardened(what: &str, answer: &Response) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    for (name, part) in [
        ("content-security-policy", "frame-ancestors 'none'"),
        ("cache-control", "no-"),
        ("x-request-id", ""),
    ] {
        let value = answer
            .header(name)
            .unwrap_or_else(|| panic!("{what}: no {name}"));
        let is_public = name == "cache-control"
            && ["public, max-age=300", "public, max-age=1"].contains(&value);
        assert!(value.contains(part) || is_public, "{what}: {name}: {value}");
    }
    let is_json = answer
        .header("content-type")
        .is_some_and(|kind| kind.contains("json"));
    if is_json {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
    }
    assert_eq!(answer.header("server"), None, "{what}");
    assert_eq!(answer.header("x-powered-by"), None, "{what}");
}
