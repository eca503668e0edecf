//! Documents that come again, their variables, and the allow-list.

use gateway::graphql::DocumentHash;
use gateway::graphql::engine::EngineConfig;
use gateway::graphql::guard::Limits;
use gateway::graphql::http::{HttpConfig, Statuses};
use gateway::graphql::trusted::{Trust, TrustedDocuments};
use serde_json::{Value, json};

use crate::support::{MODERN, Reply, Server, Settings, Shop};

const ITEMS: &str = "query Items($n: Int = 2) { items(first: $n) { number } }";

async fn send(server: &Server, body: Value) -> Reply {
    Reply::to(server.post(&body)).await
}

#[actix_web::test]
async fn a_document_that_comes_again_is_answered_by_its_new_variables() {
    let server = Server::start().await;
    for (variables, count, cost) in [
        (json!({"n": 3}), 3, 4),
        (json!({"n": 1}), 1, 2),
        (json!({}), 2, 3),
        (json!({"n": 1.0, "ignored": [1]}), 1, 2),
    ] {
        let reply = send(&server, json!({"query": ITEMS, "variables": variables})).await;
        let items = reply.body["data"]["items"].as_array().unwrap();
        assert_eq!(items.len(), count, "{variables}");
        assert_eq!(
            reply.body["extensions"]["cost"]["requested"], cost,
            "{variables}"
        );
    }
    for (variables, code) in [
        (json!({"n": "3"}), "BAD_USER_INPUT"),
        (json!({"n": 2_147_483_648_u64}), "DOCUMENT_TOO_COSTLY"),
        (json!({"n": -2_147_483_649_i64}), "BAD_USER_INPUT"),
        (json!({"n": [1]}), "BAD_USER_INPUT"),
    ] {
        let reply = send(&server, json!({"query": ITEMS, "variables": variables})).await;
        reply.refuses(400, code);
    }
}

#[actix_web::test]
async fn an_operation_of_a_document_has_its_own_variables() {
    let server = Server::start().await;
    let query = "query A($id: ID!) { required(id: $id) } query B { hello }";
    let ask = |name: &str, variables: Value| json!({"query": query, "operationName": name, "variables": variables});
    for _ in 0..2 {
        let reply = send(&server, ask("B", json!({}))).await;
        assert_eq!(reply.body["data"], json!({"hello": "world"}));
        let reply = send(&server, ask("A", json!({"id": 7}))).await;
        assert_eq!(reply.body["data"], json!({"required": "7"}));
        send(&server, ask("A", json!({})))
            .await
            .refuses(400, "BAD_USER_INPUT");
        let reply = send(&server, ask("A", json!({"id": null}))).await;
        reply.refuses(400, "BAD_USER_INPUT");
        let reply = send(&server, ask("C", json!({}))).await;
        reply.refuses(400, "OPERATION_RESOLUTION_FAILURE");
    }
}

#[actix_web::test]
async fn skip_and_include_see_each_requests_variables() {
    let server = Server::start().await;
    let query = "query($a: Boolean!, $b: Boolean = true) {
        hello @include(if: $a) ...F @skip(if: $a) other: hello @include(if: $b) }
        fragment F on Query { me }";
    for (variables, data) in [
        (
            json!({"a": true}),
            json!({"hello": "world", "other": "world"}),
        ),
        (json!({"a": false, "b": false}), json!({"me": null})),
        (json!({"a": true, "b": false}), json!({"hello": "world"})),
    ] {
        let reply = send(&server, json!({"query": query, "variables": variables})).await;
        assert_eq!(reply.body["data"], data, "{variables}");
    }
}

/// The values around a variable are checked, too, before anything is executed.
#[actix_web::test]
async fn literals_beside_variables_are_validated() {
    let server = Server::start().await;
    for query in [
        "query($n: Int) { items(first: $n) { number } required(id: [\"x\"]) }",
        "query($n: Int!) { items(first: [$n, \"x\"]) { number } }",
        "query($n: String) { items(first: $n) { number } }",
        "query($n: Unknown) { items(first: $n) { number } }",
        "query { items(first: $n) { number } }",
        "query($n: Int) { hello }",
    ] {
        let body = json!({"query": query, "variables": {"n": 1}});
        send(&server, body)
            .await
            .refuses(400, "GRAPHQL_VALIDATION_FAILED");
    }
}

#[actix_web::test]
async fn the_draft_of_august_2026_is_an_option() {
    let server = Server::start_with(Settings {
        http: HttpConfig {
            statuses: Statuses::Draft2026,
            ..HttpConfig::default()
        },
        ..Settings::default()
    })
    .await;
    for (query, modern, classic) in [
        ("{ hello }", 200, 200),
        ("{", 400, 200),
        ("{ unknown }", 422, 200),
        ("query($n: Int!) { items(first: $n) { number } }", 422, 200),
        ("{ hello broken }", 294, 200),
    ] {
        for (accept, status) in [(MODERN, modern), ("application/json", classic)] {
            let request = server.request("POST").header("accept", accept);
            let reply = Reply::to(request.json(&json!({ "query": query }))).await;
            assert_eq!(reply.status, status, "{query} as {accept}");
        }
    }
}

async fn trusting(trust: Trust) -> Server {
    Server::start_with(Settings {
        engine: EngineConfig {
            trusted: TrustedDocuments::new(trust, [ITEMS.to_owned(), "{ unknown }".to_owned()]),
            ..EngineConfig::default()
        },
        ..Settings::default()
    })
    .await
}

#[actix_web::test]
async fn a_trusted_document_is_named_by_its_id() {
    let id = DocumentHash::of(ITEMS).to_string();
    for trust in [Trust::Also, Trust::Only] {
        let server = trusting(trust).await;
        for _ in 0..2 {
            let body = json!({"documentId": id, "variables": {"n": 1}});
            let reply = send(&server, body).await;
            assert_eq!(reply.body["data"], json!({"items": [{"number": 0}]}));
            let body = json!({"query": ITEMS, "variables": {"n": 1}});
            let reply = send(&server, body).await;
            assert_eq!(reply.body["data"], json!({"items": [{"number": 0}]}));
        }
        let request = server.get(&[("documentId", id.as_str()), ("variables", r#"{"n": 1}"#)]);
        let reply = Reply::to(request).await;
        assert_eq!(reply.body["data"], json!({"items": [{"number": 0}]}));
        for unknown in [DocumentHash::of("{ hello }").to_string(), id.to_uppercase()] {
            let reply = send(&server, json!({ "documentId": unknown })).await;
            reply.refuses(400, "PERSISTED_DOCUMENT_NOT_FOUND");
        }
        // Trusted does not mean valid.
        let gone = DocumentHash::of("{ unknown }").to_string();
        let reply = send(&server, json!({ "documentId": gone })).await;
        reply.refuses(400, "GRAPHQL_VALIDATION_FAILED");
    }
}

#[actix_web::test]
async fn other_documents_are_executed_unless_only_trusted_ones_are() {
    let also = trusting(Trust::Also).await;
    assert_eq!(
        also.query("{ hello }").await.body["data"],
        json!({"hello": "world"})
    );
    let only = trusting(Trust::Only).await;
    only.query("{ hello }")
        .await
        .refuses(400, "PERSISTED_DOCUMENT_REQUIRED");
    let mut socket = only.socket().await;
    let payload = json!({"query": "subscription { count(to: 1) }"});
    socket
        .send(&json!({"type": "subscribe", "id": "1", "payload": payload}))
        .await;
    let message = socket.receive().await;
    assert_eq!(
        message["payload"][0]["extensions"]["code"],
        "PERSISTED_DOCUMENT_REQUIRED"
    );
    let off = Server::start().await;
    let id = DocumentHash::of(ITEMS).to_string();
    let reply = send(&off, json!({ "documentId": id })).await;
    reply.refuses(400, "PERSISTED_DOCUMENT_NOT_FOUND");
}

/// What is remembered is held to the limits all the same.
#[actix_web::test]
async fn the_limits_are_those_of_the_configuration() {
    let limits = Limits {
        depth: 2,
        cost: 10,
        aliases: 1,
        ..Limits::default()
    };
    let server = Server::start_with(Settings {
        engine: EngineConfig {
            limits,
            ..EngineConfig::default()
        },
        ..Settings::default()
    })
    .await;
    for (query, code) in [
        ("{ items { item { number } } }", "DOCUMENT_TOO_DEEP"),
        ("{ a: hello b: hello }", "DOCUMENT_TOO_MANY_ALIASES"),
        ("{ items(first: 10) { number } }", "DOCUMENT_TOO_COSTLY"),
    ] {
        server.query(query).await.refuses(400, code);
    }
    let ask = |n: u32| json!({"query": ITEMS, "variables": {"n": n}});
    assert_eq!(send(&server, ask(9)).await.status, 200);
    send(&server, ask(10))
        .await
        .refuses(400, "DOCUMENT_TOO_COSTLY");
}

#[actix_web::test]
async fn a_flood_of_validation_errors_is_answered_by_the_first_twenty() {
    let server = Server::start().await;
    let reply = server
        .query(&format!("{{ items {{ {} }} }}", "x ".repeat(900)))
        .await;
    reply.refuses(400, "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(reply.body["errors"].as_array().unwrap().len(), 20);
}

/// Fields that are answered at once are answered as the others: in the order of the selection, with
/// aliases and fragments, merged where they come twice.
#[actix_web::test]
async fn plain_fields_keep_to_the_selection() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let query = "query($id: ID!) {
        order(id: $id) { total { currency amount } ...F name: number ... on Order { id } __typename }
        again: order(id: $id) { lines { quantity } lines { total { amount } product { name } } id id }
    } fragment F on Order { lines { __typename quantity product { price { amount } } } status }";
    let reply = shop.ask(1, query, json!({"id": order["id"]})).await;
    let first = &reply.body["data"]["order"];
    assert_eq!(reply.body.get("errors"), None, "{reply:?}");
    assert_eq!(first["name"], order["number"]);
    assert_eq!(first["id"], order["id"]);
    assert_eq!(first["__typename"], "Order");
    assert_eq!(first["status"], "PLACED");
    assert_eq!(first["total"]["amount"], order["total"]["amount"]);
    assert_eq!(first["lines"][0]["__typename"], "OrderLine");
    let price = &first["lines"][0]["product"]["price"]["amount"];
    let again = &reply.body["data"]["again"];
    assert_eq!(&again["lines"][0]["total"]["amount"], price);
    assert_eq!(again["lines"][0]["quantity"], 1);
    assert!(again["lines"][0]["product"]["name"].is_string());
    let text = Reply::text(
        shop.post(&json!({"query": query, "variables": {"id": order["id"]}}))
            .header("authorization", shop.customer(1)),
    )
    .await;
    let places = [
        "\"total\":",
        "\"lines\":",
        "\"status\":",
        "\"name\":",
        "\"id\":",
        "\"__typename\":\"Order\"",
    ];
    // The library answers the fields of the root in the order in which they were ready.
    let text = &text[text.find("\"order\":").unwrap()..];
    let places = places.map(|key| text.find(key).unwrap());
    assert!(places.is_sorted(), "{places:?} {text}");
}
