//! The reference client, npm `graphql-ws`, against this server.

use std::time::Duration;

use gateway::graphql::websocket::SocketConfig;
use kernel::Clock as _;
use serde_json::{Value, json};
use testkit::graphql_ws::{GraphqlWsClient, Identity};
use uuid::Uuid;

use crate::support::{Server, Settings};

fn bare(token: &str) -> &str {
    token.strip_prefix("Bearer ").unwrap()
}

fn base_url(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// A client that will connect as the customer 7.
async fn client(test: &str, server: &Server) -> Option<GraphqlWsClient> {
    let mut client = GraphqlWsClient::start(test)?;
    let token = server.tokens.valid();
    client
        .target(&base_url(server), Identity::Token(bare(&token)))
        .await;
    Some(client)
}

#[actix_web::test]
async fn it_runs_queries_mutations_and_subscriptions_over_one_connection() {
    let mut server = Server::start().await;
    let Some(mut client) = client("operations of npm graphql-ws", &server).await else {
        return;
    };
    let query = "subscription($to: Int!) { count(to: $to) }";
    client.subscribe("count", query, json!({"to": 2})).await;
    assert_eq!(client.event().await["event"], "connected");
    for number in [1, 2] {
        let result = json!({"data": {"count": number}});
        let next = json!({"event": "next", "id": "count", "result": result});
        assert_eq!(client.event().await, next);
    }
    let complete = json!({"event": "complete", "id": "count"});
    assert_eq!(client.event().await, complete);

    // The client keeps the connection for a while after its last operation, and uses it again.
    client
        .subscribe("quiet", "subscription { quiet }", json!({}))
        .await;
    assert_eq!(client.until("next").await["result"]["data"]["quiet"], 1);
    client.subscribe("me", "{ me }", json!({})).await;
    let me = &client.until("next").await["result"]["data"]["me"];
    assert_eq!(me, "00000000-0000-0000-0000-000000000007");
    client
        .subscribe("change", "mutation { change }", json!({}))
        .await;
    assert_eq!(client.until("next").await["id"], "change");
    // It sends pings of the protocol while nothing else happens.
    client.until("pong").await;
    client.unsubscribe("quiet").await;
    assert_eq!(server.ended.recv().await, Some("quiet"));
}

#[actix_web::test]
async fn it_is_told_what_is_wrong_with_a_document_and_goes_on() {
    let server = Server::start().await;
    let Some(mut client) = client("errors of npm graphql-ws", &server).await else {
        return;
    };
    client.subscribe("wrong", "{ unknown }", json!({})).await;
    let error = client.until("error").await;
    let code = &error["error"][0]["extensions"]["code"];
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{error}");
    client.subscribe("right", "{ hello }", json!({})).await;
    assert_eq!(
        client.until("next").await["result"]["data"]["hello"],
        "world"
    );
}

#[actix_web::test]
async fn it_comes_back_with_a_new_token_when_the_old_one_ends() {
    let server = Server::start().await;
    let Some(mut client) = client("a revoked session of npm graphql-ws", &server).await else {
        return;
    };
    let quiet = "subscription { quiet }";
    client.subscribe("1", quiet, json!({})).await;
    client.until("next").await;
    // 4403 is no end to it: it asks its page for another token and subscribes again.
    let until = server.clock.now() + chrono::TimeDelta::seconds(1);
    let revocations = &server.tokens.revocations;
    revocations.revoke(&[Uuid::nil()], until).await;
    let closed = client.until("closed").await;
    assert_eq!(closed["code"], 4403, "{closed}");
    server.clock.advance(chrono::TimeDelta::seconds(2));
    client.until("connected").await;
    assert_eq!(client.until("next").await["result"]["data"]["quiet"], 1);
}

#[actix_web::test]
async fn it_gives_up_where_it_is_not_let_in_for_good() {
    let server = Server::start().await;
    let Some(mut client) = GraphqlWsClient::start("refusals of npm graphql-ws") else {
        return;
    };
    client.target(&base_url(&server), Identity::Nobody).await;
    client.subscribe("1", "{ hello }", json!({})).await;
    for _ in 0..=5 {
        assert_eq!(client.until("closed").await["code"], 4403);
    }
    assert_eq!(client.until("error").await["error"]["code"], 4403);
}

#[actix_web::test]
async fn it_moves_to_another_server_when_its_own_stops_and_when_it_is_told() {
    let reconnect_within = Duration::from_millis(900);
    let settings = || Settings {
        sockets: SocketConfig {
            drain: Duration::from_millis(50),
            reconnect_within,
            ..SocketConfig::default()
        },
        ..Settings::default()
    };
    let stopping = Server::start_with(settings()).await;
    let other = Server::start_with(settings()).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let Some(mut client) = client("a rolling restart for npm graphql-ws", &stopping).await
        else {
            return;
        };
        client
            .subscribe("1", "subscription { quiet }", json!({}))
            .await;
        client.until("next").await;
        let token = other.tokens.valid();
        client
            .target(&base_url(&other), Identity::Token(bare(&token)))
            .await;
        clients.push(client);
    }
    stopping.shutdown.begin();
    let mut waits = Vec::new();
    for client in &mut clients {
        assert_eq!(client.until("closed").await["code"], 1012);
        let waiting = client.until("waiting").await["milliseconds"].take();
        waits.push(waiting.as_u64().unwrap());
        client.until("connected").await;
        let next: Value = client.until("next").await;
        assert_eq!(next["result"]["data"]["quiet"], 1);
    }
    waits.sort_unstable();
    assert!(u128::from(waits[3]) < reconnect_within.as_millis());
    assert!(waits[3] - waits[0] > 300, "spread out: {waits:?}");
}
