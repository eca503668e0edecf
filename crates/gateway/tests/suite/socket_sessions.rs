//! Who holds a connection, by what, and until when.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gateway::graphql::websocket::SocketConfig;
use kernel::Clock as _;
use serde_json::json;
use service_kit::browser::OwnOrigin;
use tokio_tungstenite::tungstenite::Error;
use url::Url;
use uuid::Uuid;

use crate::support::{Closed, Server, Settings, Socket, Tokens};

const OUR_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");
const OUR_ORIGIN: (&str, &str) = ("origin", "https://shop.example");

async fn server(sockets: SocketConfig) -> Server {
    let own_origin = OwnOrigin::of(&Url::parse("https://shop.example/").unwrap());
    let sockets = SocketConfig {
        own_origin,
        ..sockets
    };
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

/// The `Cookie` header of a browser that keeps the token.
fn cookie(tokens: &Tokens) -> String {
    let token = tokens.valid();
    let token = token.strip_prefix("Bearer ").unwrap();
    format!("theme=dark; __Host-plumbline_access={token}")
}

#[actix_web::test]
async fn the_connection_ends_with_its_token() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server.address).await;
    let token = server.tokens.of(Uuid::from_u128(7), 60);
    // The verifier lets clocks differ by a few seconds: so near its end the token is still good.
    server.clock.advance(chrono::TimeDelta::seconds(60));
    socket.init(&token).await;
    assert_eq!(socket.closed().await, closed(4403, "Access token expired"));
}

#[actix_web::test]
async fn the_connection_ends_when_its_session_is_revoked() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    let token = server.tokens.valid();
    let until = server.clock.now() + chrono::TimeDelta::minutes(10);
    server
        .tokens
        .revocations
        .revoke(&[Uuid::nil()], until)
        .await;
    assert_eq!(socket.closed().await, closed(4403, "Access token revoked"));

    let mut late = Socket::open(&server.address).await;
    late.send_init(&token).await;
    let refused = closed(4403, "The access token is not valid");
    assert_eq!(late.closed().await, refused);
}

#[actix_web::test]
async fn a_page_of_ours_connects_with_the_cookie_alone() {
    let server = server(SocketConfig::default()).await;
    let cookie = cookie(&server.tokens);
    for page in [OUR_PAGE, OUR_ORIGIN] {
        let mut socket = Socket::open_with(&server.address, &[("cookie", &cookie), page]).await;
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.receive().await, json!({"type": "connection_ack"}));
        socket.subscribe("1", "{ me }").await;
        let me = &socket.receive().await["payload"]["data"]["me"];
        assert_eq!(me, "00000000-0000-0000-0000-000000000007");
    }
}

#[actix_web::test]
async fn another_sites_page_can_not_use_the_cookie() {
    let server = server(SocketConfig::default()).await;
    let cookie = cookie(&server.tokens);
    for page in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "https://shop.example.evil.example"),
        ("origin", "null"),
        ("referer", "https://shop.example"),
    ] {
        let mut socket = Socket::open_with(&server.address, &[("cookie", &cookie), page]).await;
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.closed().await.code, 4403, "{page:?}");
    }
}

#[actix_web::test]
async fn what_the_client_says_goes_before_the_cookie() {
    let server = server(SocketConfig::default()).await;
    let cookie = cookie(&server.tokens);
    let headers = [("cookie", cookie.as_str()), OUR_PAGE];
    let mut socket = Socket::open_with(&server.address, &headers).await;
    socket
        .init(&server.tokens.of(Uuid::from_u128(8), 600))
        .await;
    socket.subscribe("1", "{ me }").await;
    let me = &socket.receive().await["payload"]["data"]["me"];
    assert_eq!(me, "00000000-0000-0000-0000-000000000008");

    let mut wrong = Socket::open_with(&server.address, &headers).await;
    wrong.send_init("Bearer x").await;
    let refused = closed(4403, "The access token is not valid");
    assert_eq!(wrong.closed().await, refused);
}

#[actix_web::test]
async fn an_expired_cookie_is_no_credential() {
    let server = server(SocketConfig::default()).await;
    let cookie = cookie(&server.tokens);
    server.clock.advance(chrono::TimeDelta::minutes(11));
    let headers = [("cookie", cookie.as_str()), OUR_PAGE];
    let mut socket = Socket::open_with(&server.address, &headers).await;
    socket.send(&json!({"type": "connection_init"})).await;
    let refused = closed(4403, "The access token is not valid");
    assert_eq!(socket.closed().await, refused);
}

#[actix_web::test]
async fn nothing_is_sent_to_who_has_been_revoked() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { flood }").await;
    assert_eq!(socket.receive().await["type"], "next");
    let until = server.clock.now() + chrono::TimeDelta::minutes(10);
    let revocations = &server.tokens.revocations;
    revocations.revoke(&[Uuid::nil()], until).await;
    // What was under way may still come, and the end comes in spite of a source that never pauses.
    assert_eq!(socket.closed().await, closed(4403, "Access token revoked"));
}

#[actix_web::test]
async fn a_client_has_three_seconds_for_its_init() {
    let server = Server::start().await;
    let started = Instant::now();
    let mut socket = Socket::open(&server.address).await;
    assert_eq!(socket.closed().await.code, 4408);
    let took = started.elapsed();
    assert!((2.9..6.0).contains(&took.as_secs_f64()), "{took:?}");
}

#[actix_web::test]
async fn on_shutdown_clients_are_told_to_come_back_spread_out() {
    let server = server(SocketConfig {
        drain: Duration::from_millis(50),
        reconnect_within: Duration::from_secs(10),
        ..SocketConfig::default()
    })
    .await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = server.socket().await;
        socket.subscribe("1", "subscription { quiet }").await;
        assert_eq!(socket.receive().await["type"], "next");
        sockets.push(socket);
    }
    server.shutdown.begin();
    let mut fifths = [0; 5];
    let mut waits = BTreeSet::new();
    for mut socket in sockets {
        let Closed { code, reason } = socket.closed().await;
        assert_eq!(code, 1012);
        let wait = reason.strip_prefix("Service restart, retry after ");
        let wait = wait.and_then(|wait| wait.strip_suffix(" ms"));
        let wait: usize = wait.unwrap_or_else(|| panic!("{reason}")).parse().unwrap();
        fifths[wait / 2_000] += 1;
        waits.insert(wait);
    }
    assert_eq!(waits.len(), 20, "no two come back at once");
    assert!(
        fifths.iter().all(|count| (3..=5).contains(count)),
        "{fifths:?}"
    );
    let late = Socket::try_open(&server.address, Some("graphql-transport-ws")).await;
    assert!(matches!(late, Err(Error::Http(response)) if response.status() == 503));
    // Everything that ran has ended by itself.
    assert!(server.shutdown.finish(Duration::from_secs(5)).await);
}

#[actix_web::test]
async fn a_hard_stop_waits_for_nobody() {
    let server = server(SocketConfig {
        drain: Duration::from_secs(3600),
        ..SocketConfig::default()
    })
    .await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { quiet }").await;
    assert_eq!(socket.receive().await["type"], "next");
    assert!(!server.shutdown.finish(Duration::ZERO).await);
    let next = socket.frame().await;
    assert!(matches!(next, None | Some(Err(_))), "{next:?}");
}
