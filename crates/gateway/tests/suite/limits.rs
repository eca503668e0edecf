//! The document guard and the time limit, over HTTP.

use std::time::Duration;

use gateway::graphql::engine::EngineConfig;
use serde_json::json;

use crate::support::{Reply, Server, Settings};

#[actix_web::test]
async fn attack_documents_are_refused_with_400_whatever_the_media_type() {
    let server = Server::start().await;
    let nested = format!("{}{{hello}}{}", "{item".repeat(100), "}".repeat(100));
    let aliases: String = (0..16).map(|number| format!("a{number}: hello ")).collect();
    for (query, code) in [
        (nested, "DOCUMENT_TOO_DEEP"),
        (format!("{{ {aliases} }}"), "DOCUMENT_TOO_MANY_ALIASES"),
        (
            format!("{{ {} }}", "hello ".repeat(21)),
            "DOCUMENT_TOO_MANY_ROOT_FIELDS",
        ),
        (
            format!("{{ {} }}", "hello ".repeat(1_500)),
            "DOCUMENT_TOO_MANY_TOKENS",
        ),
        (
            "{ ...A } fragment A on Query { ...A }".to_owned(),
            "FRAGMENT_CYCLE",
        ),
        (
            "{ items(first: 4294967296) { number } }".to_owned(),
            "DOCUMENT_TOO_COSTLY",
        ),
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let body = json!({ "query": query });
            let request = server.request("POST").header("accept", accept).json(&body);
            Reply::to(request).await.refuses(400, code);
        }
    }
}

#[actix_web::test]
async fn an_operation_that_takes_too_long_is_ended() {
    let engine = EngineConfig {
        timeout: Duration::from_millis(50),
        ..EngineConfig::default()
    };
    let server = Server::start_with(Settings {
        engine,
        ..Settings::default()
    })
    .await;
    server.query("{ never }").await.refuses(504, "TIMEOUT");
}
