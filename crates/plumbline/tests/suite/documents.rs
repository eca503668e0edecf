//! The OpenAPI documents and the router name the same operations, and both say who may call them.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ErrorCode;
use serde_json::{Value, json};
use service_kit::routes::Access;

use crate::support::operations;

/// Routes that are no operations of an API: pages, their files, and what operators ask.
const NOT_OPERATIONS: [&str; 21] = [
    "/",
    "/.well-known/oauth-authorization-server/auth",
    "/assets/{path:.*}",
    "/auth/confirm-email",
    "/auth/confirm-email.js",
    "/auth/confirm-email-change",
    "/auth/confirm-email-change.js",
    "/auth/docs",
    "/auth/docs/{file:.*}",
    "/auth/openapi.json",
    "/auth/reset-password",
    "/auth/reset-password.js",
    "/auth/v1/external-logins/callback",
    "/auth/v1/external-logins/callback.js",
    "/dev/mailbox",
    "/docs",
    "/docs/{file:.*}",
    "/graphql",
    "/metrics",
    "/openapi.json",
    "/orders/{id}/timeline",
];
/// What others call, as they describe it.
const OF_OTHERS: [&str; 3] = ["/health/live", "/health/ready", "/webhooks/stripe"];

#[test]
fn router_and_documents_name_the_same_operations() {
    let is_operation = |path: &str| !NOT_OPERATIONS.contains(&path) && !OF_OTHERS.contains(&path);
    let declared = plumbline::declared_routes().into_iter();
    let declared: BTreeSet<_> = declared
        .filter(|route| is_operation(&route.path))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let documented: BTreeSet<_> = operations().iter().map(|it| it.name()).collect();
    let undocumented: Vec<_> = declared.difference(&documented).collect();
    assert!(
        undocumented.is_empty(),
        "annotate these with utoipa::path and name them in the document's paths(..), or in \
         tests/suite/documents.rs if they are no operations: {undocumented:?}"
    );
    let undeclared: Vec<_> = documented.difference(&declared).collect();
    assert!(
        undeclared.is_empty(),
        "documented, and no route: {undeclared:?}"
    );
}

#[test]
fn every_operation_says_what_a_reader_needs() {
    let mut missing = Vec::new();
    for operation in operations() {
        let description = &operation.description;
        for property in ["summary", "description", "operationId"] {
            if !description[property].is_string() {
                missing.push(format!("{}: {property}", operation.name()));
            }
        }
        if description["tags"].as_array().is_none_or(Vec::is_empty) {
            missing.push(format!("{}: tags", operation.name()));
        }
        if operation.takes_json() && operation.example() == json!("text") {
            missing.push(format!("{}: a request to imitate", operation.name()));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_problem_of_an_operation_has_an_example_of_its_code() {
    for operation in operations() {
        for (status, response) in operation.description["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let content = response["content"].as_object();
            let name = format!("{} {status}", operation.name());
            let content = content.unwrap_or_else(|| panic!("{name}: {response}"));
            let Some(problem) = content.get("application/problem+json") else {
                // OAuth answers as RFC 6749 has it.
                assert!(operation.path.starts_with("/auth/oauth2/"), "{name}");
                continue;
            };
            for (code, example) in problem["examples"].as_object().unwrap() {
                assert_eq!(example["value"]["code"], *code, "{name}");
                assert_eq!(example["value"]["status"].to_string(), *status, "{name}");
            }
        }
    }
}

#[test]
fn an_operation_asks_for_a_token_exactly_if_its_route_does() {
    let routes = plumbline::declared_routes().into_iter();
    let access: BTreeMap<_, _> = routes
        .map(|route| (format!("{} {}", route.method, route.path), route.access))
        .collect();
    for operation in operations() {
        let security = operation.description["security"].clone();
        let expected: Value = match access[&operation.name()] {
            Access::Public => json!([]),
            Access::Needs(_) | Access::NeedsRecent(_) => json!([{"bearer": []}]),
            Access::Client => continue,
        };
        assert_eq!(security, expected, "{}", operation.name());
    }
}

/// Codes that no operation of the documents is answered with, and why.
const ELSEWHERE: [(ErrorCode, &str); 8] = [
    (ErrorCode::NotFound, "no route"),
    (ErrorCode::MethodNotAllowed, "another method of a route"),
    (ErrorCode::NotAcceptable, "GraphQL over HTTP"),
    (ErrorCode::Timeout, "GraphQL"),
    (ErrorCode::OrderNotRefundable, "GraphQL's refundOrder"),
    (ErrorCode::VersionConflict, "a user error of updateProduct"),
    (ErrorCode::InsufficientStock, "a user error of adjustStock"),
    (ErrorCode::WebhookSignatureInvalid, "the webhook"),
];

#[test]
fn every_code_is_answered_somewhere() {
    let mut answered = BTreeSet::new();
    for operation in operations() {
        for response in operation.description["responses"]
            .as_object()
            .unwrap()
            .values()
        {
            let problem = &response["content"]["application/problem+json"];
            answered.extend(
                problem["examples"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|it| it.0.clone()),
            );
        }
    }
    let unknown = |code: &&ErrorCode| {
        let elsewhere = ELSEWHERE.iter().any(|(other, _)| other == *code);
        !elsewhere && !answered.contains(code.as_str())
    };
    let unknown: Vec<_> = ErrorCode::ALL
        .iter()
        .filter(unknown)
        .map(|it| it.as_str())
        .collect();
    assert!(
        unknown.is_empty(),
        "no operation names these codes in its responses; where are they answered? {unknown:?}"
    );
}
