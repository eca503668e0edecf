//! Where the system's mails end up: in the development mailbox, or in a mail server of the test.

use serde_json::Value;
use testkit::{
    http::Client,
    mail::{CaughtMail, MailCatcher},
};

use super::patience::eventually;

/// 256 bits as base64url. The lines that part a mail's bodies have another length.
const TOKEN_LENGTH: usize = 43;

pub enum Mail {
    DevMailbox(Client),
    Server(MailCatcher),
}

impl Mail {
    /// The token of the newest mail to `email` that has one; it may be on its way yet.
    pub async fn token(&self, email: &str) -> String {
        eventually("a mail with a token", async || match self {
            Self::DevMailbox(client) => {
                let path = format!("/dev/mailbox?to={email}");
                let mailbox: Value = client.get(&path).await.expect_status(200).json();
                let mut mails = mailbox["mails"].as_array()?.iter();
                let token = mails.find_map(|mail| mail["token"].as_str());
                token.map(str::to_owned)
            }
            Self::Server(catcher) => {
                let mails = catcher.mails_to(email);
                let mut lines = mails.iter().rev().flat_map(|mail| mail.text.lines());
                let token = lines.find(|line| is_token(line.trim()));
                token.map(|line| line.trim().to_owned())
            }
        })
        .await
    }

    /// Waits for the mail to `email` whose subject begins so: its text and its HTML.
    pub async fn letter(&self, email: &str, subject: &str) -> (String, String) {
        eventually("a mail with this subject", async || match self {
            Self::DevMailbox(client) => {
                let path = format!("/dev/mailbox?to={email}");
                let mailbox: Value = client.get(&path).await.expect_status(200).json();
                let mails = mailbox["mails"].as_array()?;
                let text = |mail: &Value, key| mail[key].as_str().unwrap_or_default().to_owned();
                let mut found = mails.iter();
                let found = found.find(|mail| text(mail, "subject").starts_with(subject))?;
                Some((text(found, "text"), text(found, "html")))
            }
            Self::Server(catcher) => {
                let mails = catcher.mails_to(email);
                let has_subject = |mail: &CaughtMail| {
                    mail.header("Subject")
                        .is_some_and(|told| told.starts_with(subject))
                };
                let found = mails.into_iter().find(has_subject)?;
                let part = |media_type| found.part(media_type).unwrap_or_default();
                Some((part("text/plain"), part("text/html")))
            }
        })
        .await
    }
}

fn is_token(line: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    line.len() == TOKEN_LENGTH && line.bytes().all(is_of_token)
}
