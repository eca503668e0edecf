//! Which pages of other origins may call the API from a browser.

use reqwest::Method;
use testkit::http::{Client, Response, send};

use crate::support::{ALLOWED_ORIGIN, System};

const PATHS: [&str; 3] = ["/auth/v1/sessions", "/v1/orders", "/graphql"];

#[tokio::test]
async fn only_a_configured_origin_may_ask_and_read() {
    let system = System::start().await;
    for path in PATHS {
        let client = if path.starts_with("/auth") {
            &system.auth
        } else {
            &system.gateway
        };
        let granted = preflight(client, path, ALLOWED_ORIGIN).await;
        assert_eq!(granted.status, 200, "{path}: {}", granted.text());
        assert_eq!(allowed(&granted), Some(ALLOWED_ORIGIN), "{path}");
        for origin in [
            "https://evil.example",
            "https://app.example.evil.example",
            "http://app.example",
            "https://app.example:8443",
            "null",
        ] {
            let refused = preflight(client, path, origin).await;
            assert_eq!(allowed(&refused), None, "{path} to {origin}");
            let request = client.request(Method::GET, path).header("origin", origin);
            assert_eq!(allowed(&send(request).await), None, "{path} to {origin}");
        }
    }
    system.stop().await;
}

#[tokio::test]
async fn an_allowed_page_reads_errors_too_and_never_gets_cookies() {
    let system = System::start().await;
    let request = system
        .gateway
        .request(Method::GET, "/v1/nothing")
        .header("origin", ALLOWED_ORIGIN);
    let answer = send(request).await;
    assert_eq!(answer.status, 404);
    assert_eq!(allowed(&answer), Some(ALLOWED_ORIGIN));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let vary = answer.header("vary").unwrap().to_lowercase();
    assert!(vary.contains("origin"), "{vary}");
    let shown = answer.header("access-control-expose-headers").unwrap();
    assert!(shown.contains("retry-after"), "{shown}");
    system.stop().await;
}

async fn preflight(client: &Client, path: &str, origin: &str) -> Response {
    let request = client
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,authorization",
        );
    send(request).await
}

fn allowed(answer: &Response) -> Option<&str> {
    answer.header("access-control-allow-origin")
}
