//! graphql-transport-ws, message by message and close code by close code.

use std::time::Duration;

use gateway::graphql::websocket::SocketConfig;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use uuid::Uuid;

use crate::support::{Closed, Server, Settings, Socket};

async fn with_sockets(sockets: SocketConfig) -> Server {
    Server::start_with(Settings {
        sockets,
        ..Settings::default()
    })
    .await
}

fn closed(code: u16, reason: &str) -> Closed {
    Closed {
        code,
        reason: reason.to_owned(),
    }
}

#[actix_web::test]
async fn a_subscription_runs_to_its_end() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { count(to: 2) }").await;
    for number in [1, 2] {
        let payload = json!({"data": {"count": number}});
        assert_eq!(
            socket.receive().await,
            json!({"type": "next", "id": "1", "payload": payload})
        );
    }
    assert_eq!(
        socket.receive().await,
        json!({"type": "complete", "id": "1"})
    );
    // The id is free again.
    socket.subscribe("1", "subscription { count(to: 0) }").await;
    assert_eq!(
        socket.receive().await,
        json!({"type": "complete", "id": "1"})
    );
}

#[actix_web::test]
async fn queries_and_mutations_are_answered_too() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("q", "{ me }").await;
    let next = socket.receive().await;
    assert_eq!(
        next["payload"]["data"]["me"],
        "00000000-0000-0000-0000-000000000007"
    );
    assert_eq!(socket.receive().await["type"], "complete");
    socket.subscribe("m", "mutation { change }").await;
    assert_eq!(socket.receive().await["payload"]["data"]["change"], true);
}

#[actix_web::test]
async fn completing_ends_the_source_and_nothing_else() {
    let mut server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { quiet }").await;
    assert_eq!(socket.receive().await["type"], "next");
    socket.send(&json!({"type": "complete", "id": "1"})).await;
    assert_eq!(server.ended.recv().await, Some("quiet"));
    // Completing what does not run is no error: the messages may have crossed.
    socket.send(&json!({"type": "complete", "id": "1"})).await;
    socket.subscribe("1", "subscription { count(to: 1) }").await;
    assert_eq!(socket.receive().await["payload"]["data"]["count"], 1);
}

#[actix_web::test]
async fn a_client_that_goes_ends_its_subscriptions() {
    let mut server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { quiet }").await;
    socket.receive().await;
    drop(socket);
    assert_eq!(server.ended.recv().await, Some("quiet"));
}

#[actix_web::test]
async fn errors_before_execution_are_error_messages() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { unknown }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ items(first: 4294967296) { number } }",
            "DOCUMENT_TOO_COSTLY",
        ),
    ] {
        socket.subscribe("1", query).await;
        let message = socket.receive().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("error"), &json!("1")),
            "{message}"
        );
        assert_eq!(
            message["payload"][0]["extensions"]["code"], code,
            "{message}"
        );
    }
}

#[actix_web::test]
async fn a_subscription_that_can_not_begin_says_why_and_ends() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { forbidden }").await;
    let message = socket.receive().await;
    assert_eq!(message["type"], "error");
    let error = &message["payload"][0];
    assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{message}");
}

#[actix_web::test]
async fn pings_are_answered_with_their_payload() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server.address).await;
    socket
        .send(&json!({"type": "ping", "payload": {"a": 1}}))
        .await;
    assert_eq!(
        socket.receive().await,
        json!({"type": "pong", "payload": {"a": 1}})
    );
    socket.send(&json!({"type": "ping"})).await;
    assert_eq!(socket.receive().await, json!({"type": "pong"}));
    socket.send(&json!({"type": "pong"})).await;
    socket
        .send_raw(Message::Ping(Bytes::from_static(b"hi")))
        .await;
    assert_eq!(
        socket.frame().await.unwrap().unwrap(),
        Message::Pong(Bytes::from_static(b"hi"))
    );
}

#[actix_web::test]
async fn messages_that_are_none_of_the_protocols_are_4400() {
    let server = Server::start().await;
    for message in [
        Message::text("not json"),
        Message::text(r#"{"type":"start","id":"1","payload":{}}"#),
        Message::text(r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#),
        Message::text(r#"{"type":"connection_ack"}"#),
        Message::binary(Bytes::from_static(br#"{"type":"ping"}"#)),
    ] {
        let mut socket = Socket::open(&server.address).await;
        socket.send_raw(message).await;
        assert_eq!(
            socket.closed().await,
            closed(4400, "Invalid message received")
        );
    }
}

#[actix_web::test]
async fn subscribing_before_the_acknowledgement_is_4401() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server.address).await;
    socket.subscribe("1", "{ hello }").await;
    assert_eq!(socket.closed().await, closed(4401, "Unauthorized"));
}

#[actix_web::test]
async fn connecting_without_a_valid_token_is_4403() {
    let server = Server::start().await;
    for payload in [
        json!(null),
        json!({}),
        json!({"Authorization": 7}),
        json!({"Authorization": "Bearer x"}),
        json!({"Authorization": "Basic x"}),
    ] {
        let mut socket = Socket::open(&server.address).await;
        socket
            .send(&json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(socket.closed().await.code, 4403, "{payload}");
    }
}

#[actix_web::test]
async fn silence_instead_of_an_init_is_4408() {
    let init_timeout = Duration::from_millis(50);
    let server = with_sockets(SocketConfig {
        init_timeout,
        ..SocketConfig::default()
    })
    .await;
    let mut socket = Socket::open(&server.address).await;
    assert_eq!(
        socket.closed().await,
        closed(4408, "Connection initialisation timeout")
    );
}

#[actix_web::test]
async fn an_id_in_use_is_4409() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("a", "subscription { quiet }").await;
    socket.receive().await;
    socket.subscribe("a", "{ hello }").await;
    assert_eq!(
        socket.closed().await,
        closed(4409, "Subscriber for a already exists")
    );
}

#[actix_web::test]
async fn a_second_init_is_4429() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.send_init(&server.tokens.valid()).await;
    assert_eq!(
        socket.closed().await,
        closed(4429, "Too many initialisation requests")
    );
}

#[actix_web::test]
async fn other_subprotocols_are_refused() {
    let server = Server::start().await;
    for subprotocol in [None, Some("graphql-ws"), Some("soap")] {
        let Err(Error::Http(response)) = Socket::try_open(&server.address, subprotocol).await
        else {
            panic!("{subprotocol:?} was accepted");
        };
        assert_eq!(response.status(), 400, "{subprotocol:?}");
    }
    let both = "graphql-ws, graphql-transport-ws";
    assert!(Socket::try_open(&server.address, Some(both)).await.is_ok());
}

#[actix_web::test]
async fn a_message_too_big_is_1009() {
    let server = with_sockets(SocketConfig {
        message_bytes: 1_000,
        ..SocketConfig::default()
    })
    .await;
    let mut socket = server.socket().await;
    socket.send_raw(Message::text("x".repeat(2_000))).await;
    assert_eq!(socket.closed().await.code, 1009);
}

#[actix_web::test]
async fn a_user_has_a_share_of_the_connections() {
    let server = with_sockets(SocketConfig {
        connections_per_user: 1,
        ..SocketConfig::default()
    })
    .await;
    let _first = server.socket().await;
    let mut second = Socket::open(&server.address).await;
    second.send_init(&server.tokens.valid()).await;
    assert_eq!(second.closed().await, closed(4403, "Too many connections"));
    let mut other_user = Socket::open(&server.address).await;
    other_user
        .init(&server.tokens.of(Uuid::from_u128(8), 600))
        .await;
}

#[actix_web::test]
async fn the_process_takes_so_many_connections() {
    let server = with_sockets(SocketConfig {
        connections: 1,
        ..SocketConfig::default()
    })
    .await;
    let _first = server.socket().await;
    let second = Socket::try_open(&server.address, Some("graphql-transport-ws")).await;
    let Err(Error::Http(response)) = second else {
        panic!("a second connection was taken");
    };
    assert_eq!(response.status(), 503);
}

#[actix_web::test]
async fn one_subscription_too_many_is_refused_and_the_others_go_on() {
    let server = with_sockets(SocketConfig {
        operations: 2,
        ..SocketConfig::default()
    })
    .await;
    let mut socket = server.socket().await;
    for id in ["1", "2"] {
        socket.subscribe(id, "subscription { quiet }").await;
        assert_eq!(socket.receive().await["type"], "next");
    }
    socket.subscribe("3", "subscription { quiet }").await;
    let message = socket.receive().await;
    assert_eq!(message["type"], "error");
    assert_eq!(
        message["payload"][0]["extensions"]["code"],
        "TOO_MANY_REQUESTS"
    );
    socket.send(&json!({"type": "complete", "id": "1"})).await;
    socket.subscribe("3", "subscription { quiet }").await;
    assert_eq!(socket.receive().await["type"], "next");
}

#[actix_web::test]
async fn a_reader_that_stops_reading_is_cut() {
    let write_timeout = Duration::from_millis(200);
    let mut server = with_sockets(SocketConfig {
        write_timeout,
        ..SocketConfig::default()
    })
    .await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { flood }").await;
    // Nobody reads: the buffers fill, the write waits, the deadline passes.
    assert_eq!(server.ended.recv().await, Some("flood"));
    // What was in the buffers can still be read; then the connection is gone, without a close frame.
    loop {
        match socket.frame().await {
            Some(Ok(Message::Text(_))) => {}
            Some(Ok(other)) => panic!("{other:?}"),
            Some(Err(_)) | None => break,
        }
    }
}

#[actix_web::test]
async fn a_client_that_answers_no_ping_is_cut() {
    let ping_interval = Duration::from_millis(50);
    let mut server = with_sockets(SocketConfig {
        ping_interval,
        ..SocketConfig::default()
    })
    .await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { quiet }").await;
    // The client library answers pings only while it reads.
    assert_eq!(server.ended.recv().await, Some("quiet"));
}
