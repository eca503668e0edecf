//! As much of an HTTP client as a drill needs: one request a connection, JSON both ways. A client
//! crate would make every `cargo xtask` wait for its build.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that one request may take.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: &'static str,
    /// `http://host:port`
    pub origin: &'a str,
    pub path: &'a str,
    pub bearer: Option<&'a str>,
    pub idempotency_key: Option<&'a str>,
    pub body: Option<&'a Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Null when there is none.
    pub body: Value,
}

impl<'a> Request<'a> {
    pub fn get(origin: &'a str, path: &'a str) -> Self {
        Self {
            method: "GET",
            origin,
            path,
            bearer: None,
            idempotency_key: None,
            body: None,
        }
    }

    pub fn post(origin: &'a str, path: &'a str, body: &'a Value) -> Self {
        Self {
            method: "POST",
            body: Some(body),
            ..Self::get(origin, path)
        }
    }

    pub fn bearer(self, token: &'a str) -> Self {
        Self {
            bearer: Some(token),
            ..self
        }
    }

    /// Sends it and reads the whole answer.
    pub async fn send(&self) -> io::Result<Answer> {
        let exchange = async {
            let mut stream = self.write().await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            parse(&answer)
        };
        timeout(PATIENCE, exchange).await?
    }

    /// Sends it and is gone before the answer, as a client whose network fails.
    pub async fn send_and_hang_up(&self) -> io::Result<()> {
        timeout(PATIENCE, self.write()).await?.map(drop)
    }

    async fn write(&self) -> io::Result<TcpStream> {
        let host = self.origin.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(self.text(host).as_bytes()).await?;
        Ok(stream)
    }

    fn text(&self, host: &str) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.path);
        text += "Connection: close\r\n";
        if let Some(token) = self.bearer {
            text += &format!("Authorization: Bearer {token}\r\n");
        }
        if let Some(key) = self.idempotency_key {
            text += &format!("Idempotency-Key: {key}\r\n");
        }
        let body = self.body.map(Value::to_string).unwrap_or_default();
        if self.body.is_some() {
            text += "Content-Type: application/json\r\n";
        }
        text + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }
}

fn parse(answer: &[u8]) -> io::Result<Answer> {
    let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let text = std::str::from_utf8(answer).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut_off)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let length = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .find_map(|(_, length)| length.parse::<usize>().ok());
    if length.is_some_and(|length| body.len() < length) {
        return Err(cut_off());
    }
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(body)?
    };
    Ok(Answer {
        status: status.ok_or_else(cut_off)?,
        body,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_written_with_its_headers() {
        let body = json!({ "a": 1 });
        let request = Request {
            idempotency_key: Some("k"),
            ..Request::post("http://h:1", "/p", &body).bearer("t")
        };
        assert_eq!(
            request.text("h:1"),
            "POST /p HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\nAuthorization: Bearer t\r\n\
             Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n\
             {\"a\":1}"
        );
    }

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        let whole = "HTTP/1.1 201 Created\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        let answer = parse(whole.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.body), (201, json!({ "a": 1 })));
        for end in [0, 10, whole.len() - 1] {
            assert!(parse(&whole.as_bytes()[..end]).is_err(), "{end}");
        }
    }
}
