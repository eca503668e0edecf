//! Where the system's mails end up: in the development mailbox, or in a mail server of the test.

use serde_json::Value;
use testkit::{http::Client, mail::MailCatcher};

use super::patience::{PATIENCE, eventually};

/// 256 bits as base64url. The lines that part a mail's bodies have another length.
const TOKEN_LENGTH: usize = 43;

pub enum Mail {
    DevMailbox(Client),
    Server(MailCatcher),
}

impl Mail {
    /// The token of the newest mail to `email`, which may be on its way yet.
    pub async fn token(&self, email: &str) -> String {
        match self {
            Self::DevMailbox(client) => {
                let path = format!("/dev/mailbox?to={email}");
                eventually("a mail with a token", async || {
                    let mailbox: Value = client.get(&path).await.expect_status(200).json();
                    mailbox["mails"][0]["token"].as_str().map(str::to_owned)
                })
                .await
            }
            Self::Server(catcher) => {
                let mail = catcher.mail_to(email, PATIENCE).await;
                let text = mail.expect("a mail with a token").text;
                let token = text.lines().map(str::trim).find(|line| is_token(line));
                token.expect("a token on a line of its own").to_owned()
            }
        }
    }
}

fn is_token(line: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    line.len() == TOKEN_LENGTH && line.bytes().all(is_of_token)
}
