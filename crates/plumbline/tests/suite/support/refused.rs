//! Answers that refuse.

use serde_json::Value;
use testkit::http::Response;

/// Fails unless the answer is a problem with this status and code.
#[track_caller]
pub fn refused(answer: &Response, status: u16, code: &str, path: &str, input: &[u8]) {
    let input = String::from_utf8_lossy(&input[..input.len().min(200)]);
    let context = format!("{path} {input}: {}", answer.text());
    assert_eq!(answer.status, status, "{context}");
    assert_eq!(answer.json::<Value>()["code"], code, "{context}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{context}"
    );
}

pub fn graphql_code(answer: &Response) -> String {
    let body: Value = answer.json();
    let code = body["errors"][0]["extensions"]["code"].as_str();
    code.unwrap_or_else(|| panic!("no code: {body:#}"))
        .to_owned()
}
