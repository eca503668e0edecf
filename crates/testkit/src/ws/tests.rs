use tokio::net::TcpListener;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;

type ServerSide = WebSocketStream<TcpStream>;

/// Accepts one connection with whatever sub-protocol it asks for.
async fn accept(listener: &TcpListener) -> ServerSide {
    let (stream, _) = listener.accept().await.unwrap();
    accept_hdr_async(stream, echo_protocol).await.unwrap()
}

#[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
fn echo_protocol(
    request: &server::Request,
    mut response: server::Response,
) -> Result<server::Response, server::ErrorResponse> {
    let protocol = request.headers()["sec-websocket-protocol"].clone();
    response
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    Ok(response)
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    (listener, base_url)
}

#[tokio::test]
async fn a_subscription_is_opened_read_and_closed() {
    let (listener, base_url) = listen().await;
    let server = async {
        let mut socket = accept(&listener).await;
        let init = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(init.contains("Bearer token"), "{init}");
        let subscribe = r#"{"type":"connection_ack"}"#;
        socket.send(Message::text(subscribe)).await.unwrap();
        let subscribe = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(subscribe.contains("orderUpdated"), "{subscribe}");
        for text in [
            r#"{"type":"ping"}"#,
            r#"{"type":"next","id":"1","payload":{"data":{"status":"PAID"}}}"#,
            r#"{"type":"complete","id":"1"}"#,
        ] {
            socket.send(Message::text(text)).await.unwrap();
        }
        let pong = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert_eq!(pong, r#"{"type":"pong"}"#);
        let frame = CloseFrame {
            code: 4401.into(),
            reason: "expired".into(),
        };
        socket.close(Some(frame)).await.unwrap();
    };
    let client = async {
        let mut socket = GraphqlSocket::open(&base_url, "token").await;
        let query = "subscription { orderUpdated { status } }";
        socket.subscribe("1", query, json!({})).await;
        assert_eq!(socket.receive().await, Received::Ping);
        assert_eq!(socket.next_data().await, json!({ "status": "PAID" }));
        assert_eq!(
            socket.receive().await,
            Received::Complete { id: "1".into() }
        );
        assert_eq!(socket.close_code().await, 4401);
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_cut_connection_has_the_code_1006() {
    let (listener, base_url) = listen().await;
    let server = async { drop(accept(&listener).await) };
    let client = async {
        let mut socket = GraphqlSocket::connect(&base_url, PROTOCOL).await.unwrap();
        assert_eq!(socket.close_code().await, 1006);
    };
    tokio::join!(server, client);
}
