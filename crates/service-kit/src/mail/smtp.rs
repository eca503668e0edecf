use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::PoolConfig,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Mail, MailError};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: u32 = 4;

#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// `smtps://user:password@host:465`, `smtp://host:587?tls=required` for STARTTLS, or
    /// `smtp://host:1025` in the clear.
    pub url: SecretString,
    /// The sender: `Name <address>` or an address.
    pub from: String,
}

#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtpConfig {
    #[error("the mail server's URL is not an smtp:// or smtps:// URL")]
    Url(#[source] lettre::transport::smtp::Error),
    #[error("the sender is not an e-mail address")]
    From(#[source] lettre::address::AddressError),
}

/// Clones share the connections.
#[derive(Clone)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    /// Connects only when the first mail is sent, but needs a Tokio runtime, on which the pool of
    /// connections is tended.
    pub fn new(config: &SmtpConfig) -> Result<Self, InvalidSmtpConfig> {
        let url = config.url.expose_secret();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(InvalidSmtpConfig::Url)?
            .timeout(Some(TIMEOUT))
            .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS))
            .build();
        let from = config.from.parse().map_err(InvalidSmtpConfig::From)?;
        Ok(Self { transport, from })
    }

    pub(super) async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let message = self.compose(mail)?;
        let sent = self.transport.send(message).await;
        sent.map(|_| ()).map_err(|error| {
            if error.is_permanent() {
                MailError::Refused(error)
            } else {
                MailError::Unavailable(error)
            }
        })
    }

    fn compose(&self, mail: Mail) -> Result<Message, MailError> {
        let to: Address = mail
            .to
            .as_str()
            .parse()
            .map_err(|_| MailError::Unsendable("the address"))?;
        // RFC 3834 §5: no out-of-office answers, please.
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(mail.subject)
            .date(mail.at.into())
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(automatic);
        let bodies = MultiPart::alternative_plain_html(mail.text, mail.html);
        message
            .multipart(bodies)
            .map_err(|_| MailError::Unsendable("its headers"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use kernel::Email;
    use uuid::Uuid;

    use super::*;

    fn mailer() -> SmtpMailer {
        let config = SmtpConfig {
            url: "smtp://127.0.0.1:1".to_owned().into(),
            from: "Plumbline <shop@example.com>".to_owned(),
        };
        SmtpMailer::new(&config).unwrap()
    }

    fn mail(subject: &str) -> Mail {
        Mail {
            id: Uuid::nil(),
            to: Email::parse("ada@example.com").unwrap(),
            subject: subject.to_owned(),
            text: "Hello".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            token: None,
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_mail_has_a_stable_message_id_and_both_bodies() {
        let message = mailer().compose(mail("Welcome")).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        for part in [
            "Message-ID: <00000000-0000-0000-0000-000000000000@example.com>",
            "Auto-Submitted: auto-generated",
            "text/plain",
            "text/html",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[tokio::test]
    async fn a_subject_can_not_smuggle_a_header_in() {
        let message = mailer()
            .compose(mail("Hi\r\nBcc: all@example.com"))
            .unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(!text.contains("\r\nBcc:"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_a_transient_error() {
        let error = mailer().send(mail("Welcome")).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }

    #[tokio::test]
    async fn a_wrong_configuration_is_told() {
        for (url, from) in [("http://mail", "a@example.com"), ("smtp://mail", "nobody")] {
            let config = SmtpConfig {
                url: url.to_owned().into(),
                from: from.to_owned(),
            };
            assert!(SmtpMailer::new(&config).is_err(), "{url} {from}");
        }
    }
}
