//! Stopping: Ctrl-C and SIGTERM drain and end within five seconds, a second one at once.

use std::time::{Duration, Instant};

use testkit::{process::Signal, readiness};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::{PATIENCE, Server, Shop, eventually, setting};

const DRAINED_WITHIN: Duration = Duration::from_secs(5);

/// A running server, with a client in the middle of a request that it never ends.
async fn server_with_a_slow_client(folder: &tempfile::TempDir) -> (Server, TcpStream) {
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server.start("/health/ready").await;
    let mut client = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    let request = "POST /auth/v1/sessions HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    client.write_all(request.as_bytes()).await.unwrap();
    (server, client)
}

#[tokio::test]
async fn either_signal_stops_within_five_seconds_whatever_is_in_hand() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        let (mut server, _client) = server_with_a_slow_client(&folder).await;
        let shop = Shop::open(&server.url(), &server.url()).await;
        let _socket = shop.watch().await;
        let asked = Instant::now();
        server.signal(signal);
        assert_eq!(server.ended(PATIENCE).await, Some(0), "{}", server.output());
        assert!(asked.elapsed() < DRAINED_WITHIN, "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, _client) = server_with_a_slow_client(&folder).await;
    server.signal(Signal::INT);
    let refuses = async || !readiness::tcp(server.port()).await;
    eventually("the beginning of the stop", refuses).await;
    server.signal(Signal::INT);
    assert_eq!(server.ended(PATIENCE).await, Some(130));
}
