//! The least HTTP/1.1 client: it must cost far less than what it measures.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// No answer is near this size.
const MAX_ANSWER: usize = 1024 * 1024;

/// A connection with one request in flight.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, where it lies in the connection's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    head: usize,
    body: usize,
}

impl Connection {
    pub(super) async fn open(url: &Url) -> io::Result<Self> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends the request, and returns the status and the body of its answer.
    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = read(&self.buffer)? {
                let body = &self.buffer[answer.head..answer.head + answer.body];
                return Ok((answer.status, body));
            }
            if self.buffer.len() > MAX_ANSWER {
                return Err(io::Error::other("the answer is too large"));
            }
        }
    }
}

/// The answer, once all of it is there. It has a Content-Length: none of the servers streams.
fn read(buffer: &[u8]) -> io::Result<Option<Answer>> {
    let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let malformed = || io::Error::other("the answer is malformed");
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| malformed())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    let (Some(status), Some(body)) = (status, length) else {
        return Err(malformed());
    };
    let head = head + 4;
    Ok((buffer.len() >= head + body).then_some(Answer { status, head, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_complete() {
        let whole = b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\n{}";
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]).unwrap(), None, "{end}");
        }
        let answer = read(whole).unwrap().unwrap();
        assert_eq!((answer.status, answer.body), (200, 2));
        assert_eq!(&whole[answer.head..], b"{}");
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read(b"nonsense\r\nContent-Length: 1\r\n\r\n").is_err());
    }
}
