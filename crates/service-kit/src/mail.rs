//! Sending mail: by SMTP, or into a mailbox that developers and tests can read.

mod dev_mailbox;
mod letter;
mod smtp;

use chrono::{DateTime, Utc};
use kernel::Email;
use serde::Serialize;
use uuid::Uuid;

pub use dev_mailbox::{DevMailbox, dev_mailbox_routes};
pub use letter::{Action, Letter, LetterError};
pub use smtp::{InvalidSmtpConfig, SmtpConfig, SmtpMailer};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// The same for every attempt to send this mail; by SMTP it becomes the Message-ID, so that a
    /// mail that was sent twice can be recognised.
    pub id: Uuid,
    pub to: Email,
    pub subject: String,
    pub text: String,
    /// Says what `text` says.
    pub html: String,
    /// The token that both contain, for programs that read the dev mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When what it tells of happened: its `Date`, the same for every attempt.
    pub at: DateTime<Utc>,
}

#[derive(Clone)]
pub enum Mailer {
    /// Embedded mode and tests.
    Memory(DevMailbox),
    Smtp(SmtpMailer),
}

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the mail can't be written: {0}")]
    Unsendable(&'static str),
    #[error("the mail server refused the mail for good")]
    Refused(#[source] lettre::transport::smtp::Error),
    #[error("the mail server can't be reached, or is busy")]
    Unavailable(#[source] lettre::transport::smtp::Error),
}

impl MailError {
    /// Whether sending the same mail later may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Unsendable(_) | Self::Refused(_) => false,
        }
    }
}

impl Mailer {
    pub async fn send(&self, mail: Mail) -> Result<(), MailError> {
        match self {
            Self::Memory(mailbox) => {
                mailbox.keep(mail);
                Ok(())
            }
            Self::Smtp(smtp) => smtp.send(mail).await,
        }
    }
}
