//! Is a server ready? Asked in its own protocol: an open port is not yet a working server.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that one question may take; the caller asks again.
const PATIENCE: Duration = Duration::from_secs(2);

/// PostgreSQL lets `postgres` in (protocol 3.0, start-up message; trust authentication).
pub async fn postgres(port: u16) -> bool {
    let mut message = Vec::new();
    message.extend_from_slice(&196_608_i32.to_be_bytes()); // version 3.0
    message.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    let length = (message.len() as i32 + 4).to_be_bytes();
    message.splice(0..0, length);
    // 'R', length 8, code 0: AuthenticationOk. "The database system is starting up" is an 'E'.
    answers(port, &message, b"R\0\0\0\x08\0\0\0\0").await
}

/// Redis answers PING.
pub async fn redis(port: u16) -> bool {
    answers(port, b"PING\r\n", b"+PONG").await
}

/// RabbitMQ answers an AMQP 0-9-1 protocol header with `connection.start`: a method frame (1) on
/// channel 0.
pub async fn rabbitmq(port: u16) -> bool {
    answers(port, b"AMQP\0\0\x09\x01", b"\x01\0\0").await
}

/// A GET of `path` answers 200.
pub async fn http(port: u16, path: &str) -> bool {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    answers(port, request.as_bytes(), b"HTTP/1.1 200").await
}

/// Something listens.
pub async fn tcp(port: u16) -> bool {
    matches!(
        timeout(PATIENCE, TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await,
        Ok(Ok(_))
    )
}

async fn answers(port: u16, question: &[u8], beginning: &[u8]) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(question).await?;
        let mut answer = vec![0; beginning.len()];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(answer == beginning)
    };
    matches!(timeout(PATIENCE, exchange).await, Ok(Ok(true)))
}
