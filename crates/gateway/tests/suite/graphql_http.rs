//! GraphQL over HTTP: what is served and what is refused, with which status and code.

use serde_json::json;

use crate::support::{MODERN, Reply, Server};

#[actix_web::test]
async fn a_query_is_answered_in_the_accepted_media_type() {
    let server = Server::start().await;
    let body = json!({"query": "{ hello }"});
    for (accept, expected) in [
        (MODERN, MODERN),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
    ] {
        let request = server.request("POST").header("accept", accept).json(&body);
        let reply = Reply::to(request).await;
        assert_eq!(
            (reply.status, &reply.body["data"]),
            (200, &json!({"hello": "world"}))
        );
        assert!(
            reply.header("content-type").starts_with(expected),
            "{accept}: {reply:?}"
        );
    }
    let request = server
        .request("POST")
        .header("accept", "text/csv")
        .json(&body);
    Reply::to(request).await.refuses(406, "NOT_ACCEPTABLE");
}

#[actix_web::test]
async fn the_cost_is_reported() {
    let server = Server::start().await;
    let reply = server
        .query("{ items(first: 3) { number item { number } } }")
        .await;
    assert_eq!(
        reply.body["extensions"]["cost"],
        json!({"requested": 10, "limit": 5000})
    );
}

#[actix_web::test]
async fn get_serves_queries_and_never_mutations() {
    let server = Server::start().await;
    let query = "query A { hello } query B($n: Int) { items(first: $n) { number } }";
    let request = server.get(&[
        ("query", query),
        ("operationName", "B"),
        ("variables", r#"{"n": 1}"#),
    ]);
    let reply = Reply::to(request).await;
    assert_eq!(reply.body["data"], json!({"items": [{"number": 0}]}));

    let request = server.get(&[("query", "mutation { change }")]);
    let reply = Reply::to(request).await;
    reply.refuses(405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), "POST");

    let reply = Reply::to(server.get(&[])).await;
    reply.refuses(400, "BAD_REQUEST");
}

#[actix_web::test]
async fn other_methods_are_refused() {
    let server = Server::start().await;
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let reply = Reply::to(server.request(method)).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, "GET, POST"),
            "{method}"
        );
    }
}

/// What a page of another origin can send without a preflight is refused, so it can't act in its
/// visitor's name.
#[actix_web::test]
async fn a_simple_request_of_another_origin_is_refused() {
    let server = Server::start().await;
    let body = json!({"query": "mutation { change }"}).to_string();
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonx"),
        Some("application/json; charset=utf-16"),
        Some("application/graphql"),
    ] {
        let mut request = server.request("POST").body(body.clone());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let reply = Reply::to(request).await;
        reply.refuses(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let zipped = server
        .post(&json!({"query": "{ hello }"}))
        .header("content-encoding", "gzip");
    Reply::to(zipped)
        .await
        .refuses(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[actix_web::test]
async fn a_body_that_is_no_request_is_refused() {
    let server = Server::start().await;
    for body in [
        "",
        "{",
        "7",
        r#"[{"query": "{ hello }"}]"#,
        r#"{"query": 7}"#,
        r#"{"query": "{ hello }", "variables": []}"#,
        r#"{"query": "{ hello }", "unknown": 1}"#,
    ] {
        let request = server
            .request("POST")
            .header("content-type", "application/json")
            .body(body);
        let reply = Reply::to(request).await;
        reply.refuses(400, "BAD_REQUEST");
    }
    let deep = format!(
        "{{\"query\": \"{{a}}\", \"variables\": {}",
        "[".repeat(50_000)
    );
    let request = server
        .request("POST")
        .header("content-type", "application/json")
        .body(deep);
    Reply::to(request).await.refuses(400, "BAD_REQUEST");
}

#[actix_web::test]
async fn a_huge_body_is_refused() {
    let server = Server::start().await;
    let huge = json!({"query": "#".repeat(200 * 1024)});
    let reply = Reply::to(server.post(&huge)).await;
    reply.refuses(413, "PAYLOAD_TOO_LARGE");
}

#[actix_web::test]
async fn an_invalid_document_is_400_or_200_by_media_type_and_has_no_data() {
    let server = Server::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ hello(", "GRAPHQL_PARSE_FAILED"),
        ("{ unknown }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ items(first: \"x\") { number } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("query($id: ID!) { required(id: $id) }", "BAD_USER_INPUT"),
        (
            "query A { hello } query B { hello }",
            "OPERATION_RESOLUTION_FAILURE",
        ),
    ] {
        let body = json!({ "query": query });
        server.query(query).await.refuses(400, code);
        let classic = server
            .request("POST")
            .json(&body)
            .header("accept", "application/json");
        let reply = Reply::to(classic).await;
        reply.refuses(200, code);
    }
    let unknown = json!({"query": "query A { hello }", "operationName": "B"});
    let reply = Reply::to(server.post(&unknown)).await;
    reply.refuses(400, "OPERATION_RESOLUTION_FAILURE");
}

#[actix_web::test]
async fn a_subscription_needs_a_websocket() {
    let server = Server::start().await;
    server
        .query("subscription { count(to: 1) }")
        .await
        .refuses(400, "BAD_REQUEST");
}

#[actix_web::test]
async fn an_unexpected_error_is_masked() {
    let server = Server::start().await;
    let reply = server.query("{ hello broken }").await;
    assert_eq!((reply.status, reply.code()), (200, "INTERNAL_SERVER_ERROR"));
    assert_eq!(
        reply.body["data"],
        json!({"hello": "world", "broken": null})
    );
    assert!(!reply.body.to_string().contains("hunter2"));
}

#[actix_web::test]
async fn the_caller_is_told_by_the_token_and_a_bad_one_is_refused() {
    let server = Server::start().await;
    let me = json!({"query": "{ me }"});
    assert_eq!(server.query("{ me }").await.body["data"]["me"], json!(null));
    let request = server
        .post(&me)
        .header("authorization", server.tokens.valid());
    let reply = Reply::to(request).await;
    assert_eq!(
        reply.body["data"]["me"],
        "00000000-0000-0000-0000-000000000007"
    );
    for bad in ["Bearer x", "Basic dXNlcjpwYXNz", "Bearer", "x"] {
        let request = server.post(&me).header("authorization", bad);
        let reply = Reply::to(request).await;
        reply.refuses(401, "UNAUTHENTICATED");
    }
}

#[actix_web::test]
async fn a_browser_gets_graphiql_from_local_files() {
    let server = Server::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let response = server
        .get(&[])
        .header("accept", browser)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("/assets/graphiql/graphiql.min.js")
    );
}
