//! Every route that takes a body, as the OpenAPI documents list them: whatever is sent, the answer
//! is a 4xx with a stable code, and nobody sets more than the document names (OWASP API3:2023).

use reqwest::Method;
use testkit::http::{Client, Response, send};

use crate::{
    headers::check_hardened,
    support::{Operation, System, available, concrete, operations, refused},
};

/// What is only ours to set.
const NOT_THEIRS: [&str; 12] = [
    "role",
    "roles",
    "id",
    "user_id",
    "email_verified",
    "status",
    "total",
    "price",
    "disabled_at",
    "is_admin",
    "scope",
    "__proto__",
];

const SHAPES: [(&[u8], u16, &str); 10] = [
    (b"", 400, "malformed-json"),
    (b"{", 400, "malformed-json"),
    (b"\xff", 400, "malformed-json"),
    (b"{'email': 1}", 400, "malformed-json"),
    (b"nonsense", 400, "malformed-json"),
    (b"null", 422, "validation"),
    (b"[]", 422, "validation"),
    (b"42", 422, "validation"),
    (b"\"text\"", 422, "validation"),
    (b"{\"surprise\": true}", 422, "validation"),
];

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_by_every_route() {
    let system = System::start().await;
    let admin = system.admin().await;
    for operation in operations().iter().filter(|it| it.takes_json()) {
        let client = system.at(&operation.path).with_bearer(&admin.access_token);
        let name = operation.name();
        for (body, status, code) in SHAPES {
            let answer = ask(&client, operation, "application/json", body.to_vec()).await;
            refused(&answer, status, code, &name, body);
            check_hardened(&name, &answer);
        }
        if operation.has_required_properties() {
            let answer = ask(&client, operation, "application/json", b"{}".to_vec()).await;
            refused(&answer, 422, "validation", &name, b"{}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let answer = ask(&client, operation, kind, b"{}".to_vec()).await;
            refused(
                &answer,
                415,
                "unsupported-media-type",
                &name,
                kind.as_bytes(),
            );
            check_hardened(&name, &answer);
        }
        let nested = format!("{{\"lines\": {}", "[".repeat(5_000)).into_bytes();
        let answer = ask(&client, operation, "application/json", nested).await;
        assert!(
            (400..500).contains(&answer.status),
            "{name}: {}",
            answer.text()
        );
    }
    system.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_by_every_route() {
    let system = System::start().await;
    let admin = system.admin().await;
    for operation in operations() {
        let Some(content) = operation.description["requestBody"]["content"].as_object() else {
            continue;
        };
        let client = system.at(&operation.path).with_bearer(&admin.access_token);
        for kind in content.keys() {
            let huge = format!("{{\"lines\": \"{}\"}}", "x".repeat(1 << 20));
            let answer = ask(&client, &operation, kind, huge.into_bytes()).await;
            assert_eq!(
                answer.status,
                413,
                "{}: {}",
                operation.name(),
                answer.text()
            );
            check_hardened(&operation.name(), &answer);
        }
    }
    system.stop().await;
}

#[tokio::test]
async fn nobody_sets_what_is_not_in_the_document() {
    let system = System::start().await;
    let admin = system.admin().await;
    for operation in operations().iter().filter(|it| it.takes_json()) {
        let client = system.at(&operation.path).with_bearer(&admin.access_token);
        let known = operation.body_properties();
        for property in NOT_THEIRS.iter().filter(|it| !known.contains_key(**it)) {
            // First, so that nothing else is found wrong before it.
            let rest = operation.example().to_string();
            let comma = if rest == "{}" { "" } else { "," };
            let body = format!("{{\"{property}\":\"admin\"{comma}{}", &rest[1..]).into_bytes();
            let answer = ask(&client, operation, "application/json", body.clone()).await;
            refused(&answer, 422, "validation", &operation.name(), &body);
            let told = answer.text();
            assert!(
                told.contains(&format!("unknown field `{property}`")),
                "{} may have refused something else than {property}: {told}",
                operation.name()
            );
        }
    }
    system.stop().await;
}

#[tokio::test]
async fn every_list_refuses_page_sizes_that_are_none() {
    let system = System::start().await;
    let admin = system.admin().await;
    for operation in operations().iter().filter(|it| it.has_parameter("first")) {
        let path = concrete(&operation.path);
        let client = system.at(&path).with_bearer(&admin.access_token);
        for (size, code) in [
            ("0", "invalid-page-size"),
            ("-1", "invalid-page-size"),
            ("101", "invalid-page-size"),
            ("many", "malformed-request"),
            ("", "malformed-request"),
            ("99999999999999999999", "malformed-request"),
        ] {
            let answer = list(&client, &format!("{path}?first={size}")).await;
            refused(&answer, 400, code, &path, size.as_bytes());
        }
        let answer = list(&client, &format!("{path}?first=1&after=nonsense")).await;
        refused(&answer, 400, "invalid-cursor", &path, b"nonsense");
        let answer = list(&client, &format!("{path}?limit=1")).await;
        refused(&answer, 400, "malformed-request", &path, b"limit");
    }
    system.stop().await;
}

async fn list(client: &Client, path: &str) -> Response {
    available(async || client.get(path).await).await
}

async fn ask(client: &Client, operation: &Operation, kind: &str, body: Vec<u8>) -> Response {
    available(async || {
        let method: Method = operation.method.clone();
        let request = client.request(method, &concrete(&operation.path));
        let request = request.header("idempotency-key", "bodies");
        send(request.header("content-type", kind).body(body.clone())).await
    })
    .await
}
