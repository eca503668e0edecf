//! A mail server for tests (SMTP, RFC 5321): it accepts everything and keeps it to be read.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Older mails are forgotten.
const KEPT: usize = 1000;

/// A running mail server. It ends with this value.
#[derive(Debug)]
pub struct MailCatcher {
    port: u16,
    mailbox: Arc<Mailbox>,
    server: AbortHandle,
}

/// A mail as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaughtMail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers, an empty line, the body: as sent, only with plain line ends.
    pub text: String,
}

#[derive(Debug, Default)]
struct Mailbox {
    mails: Mutex<VecDeque<CaughtMail>>,
    arrived: Notify,
}

impl MailCatcher {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(0).await
    }

    /// Starts one on a port; 0 is any free one.
    ///
    /// # Errors
    /// When the port can't be listened on.
    pub async fn start_at(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let mailbox = Arc::new(Mailbox::default());
        let server = tokio::spawn(serve(listener, Arc::clone(&mailbox))).abort_handle();
        Ok(Self {
            port,
            mailbox,
            server,
        })
    }

    /// `smtp://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The mails to `address`, oldest first.
    #[must_use]
    pub fn mails_to(&self, address: &str) -> Vec<CaughtMail> {
        let mails = self.mailbox.lock();
        let addressed = mails
            .iter()
            .filter(|mail| mail.to.iter().any(|to| to == address));
        addressed.cloned().collect()
    }

    /// The newest mail to `address`, waiting for one if there is none. `None` when none came
    /// within `patience`.
    pub async fn mail_to(&self, address: &str, patience: Duration) -> Option<CaughtMail> {
        let wait = async {
            loop {
                // Registered before the look, so that no arrival is missed in between.
                let arrived = self.mailbox.arrived.notified();
                if let Some(mail) = self.mails_to(address).pop() {
                    return mail;
                }
                arrived.await;
            }
        };
        timeout(patience, wait).await.ok()
    }
}

impl CaughtMail {
    /// The value of a header that stands on one line, by its exact name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (headers, _) = self.text.split_once("\n\n")?;
        headers
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The decoded body of a media type in a multipart mail.
    #[must_use]
    pub fn part(&self, media_type: &str) -> Option<String> {
        let (_, after) = self.text.split_once("boundary=\"")?;
        let (boundary, _) = after.split_once('"')?;
        let delimiter = format!("\n--{boundary}");
        let parts = self.text.split(&delimiter).skip(1);
        let mut parts = parts.filter_map(|part| part.split_once("\n\n"));
        let of_type = format!("Content-Type: {media_type}");
        parts
            .find(|(headers, _)| headers.contains(&of_type))
            .map(|(_, body)| decode_quoted_printable(body))
    }
}

/// RFC 2045 §6.7. What is no escape stands for itself.
fn decode_quoted_printable(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let escape = piece.get(..2).unwrap_or_default();
        match u8::from_str_radix(escape, 16) {
            Ok(byte) => {
                bytes.push(byte);
                bytes.extend(&piece.as_bytes()[2..]);
            }
            Err(_) => {
                bytes.push(b'=');
                bytes.extend(piece.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Drop for MailCatcher {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<CaughtMail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, mail: CaughtMail) {
        let mut mails = self.lock();
        if mails.len() == KEPT {
            mails.pop_front();
        }
        mails.push_back(mail);
        drop(mails);
        self.arrived.notify_waiters();
    }
}

async fn serve(listener: TcpListener, mailbox: Arc<Mailbox>) {
    while let Ok((stream, _)) = listener.accept().await {
        let mailbox = Arc::clone(&mailbox);
        // A client that hangs up in the middle is no concern of the others.
        tokio::spawn(async move { converse(stream, &mailbox).await });
    }
}

async fn converse(stream: TcpStream, mailbox: &Mailbox) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    answer(&mut stream, "220 testkit").await?;
    let mut mail = CaughtMail::default();
    while let Some(line) = read_line(&mut stream).await? {
        let command = line.to_ascii_uppercase();
        if command.starts_with("MAIL FROM:") {
            mail = CaughtMail {
                from: address(&line),
                ..CaughtMail::default()
            };
        } else if command.starts_with("RCPT TO:") {
            mail.to.push(address(&line));
        } else if command == "DATA" {
            answer(&mut stream, "354 end with a line of one dot").await?;
            mail.text = read_text(&mut stream).await?;
            mailbox.keep(std::mem::take(&mut mail));
        } else if command == "QUIT" {
            return answer(&mut stream, "221 bye").await;
        }
        answer(&mut stream, "250 ok").await?;
    }
    Ok(())
}

async fn answer(stream: &mut BufReader<TcpStream>, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The lines up to a single dot; a dot was doubled at the beginning of a line (section 4.5.2).
async fn read_text(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut text = String::new();
    while let Some(line) = read_line(stream).await? {
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let after = line.split_once('<').map_or("", |(_, after)| after);
    after
        .split_once('>')
        .map_or(after, |(address, _)| address)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_mail_is_kept_as_it_was_sent() {
        let catcher = MailCatcher::start().await.unwrap();
        let send = async {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, catcher.port)).await;
            let mut stream = BufReader::new(stream.unwrap());
            for line in [
                "EHLO shop",
                "MAIL FROM:<shop@example.com> SIZE=100",
                "RCPT TO:<ada@example.com>",
                "RCPT TO:<bob@example.com>",
                "DATA",
                "Subject: Welcome\r\n\r\n..dot\r\nend\r\n.",
                "QUIT",
            ] {
                read_line(&mut stream).await.unwrap();
                answer(&mut stream, line).await.unwrap();
            }
        };
        let (mail, ()) = tokio::join!(catcher.mail_to("ada@example.com", PATIENCE), send);
        let mail = mail.unwrap();
        assert_eq!(mail.from, "shop@example.com");
        assert_eq!(mail.text, "Subject: Welcome\n\n.dot\nend\n");
        assert_eq!(catcher.mails_to("bob@example.com"), [mail]);
    }

    #[test]
    fn a_part_is_decoded() {
        let text = "From: a\nContent-Type: multipart/alternative; boundary=\"b\"\n\n\
            --b\nContent-Type: text/plain\n\nJos=C3=A9 =3D lo=\nng=\n\n--b--\n";
        let mail = CaughtMail {
            text: text.to_owned(),
            ..CaughtMail::default()
        };
        assert_eq!(mail.header("From"), Some("a"));
        assert_eq!(mail.part("text/plain").unwrap(), "José = long");
        assert_eq!(mail.part("text/html"), None);
    }

    #[tokio::test]
    async fn waiting_for_a_mail_ends() {
        let catcher = MailCatcher::start().await.unwrap();
        let mail = catcher.mail_to("ada@example.com", Duration::ZERO).await;
        assert_eq!(mail, None);
    }
}
