//! The customer is told by mail how an order ended. The letters go the way of every other step: a
//! queue, a consumer, a receipt in the inbox; at least once, because a mail can't be taken back. A
//! crash between sending and recording sends it again, with the same Message-ID.

mod letters;

use contracts::{
    DecodeError, Envelope,
    order_event::{OrderEventType, OrderTransitioned},
};
use kernel::{Email, InvalidEmail};
use messaging::{
    Message, QueueSpec,
    consumer::{Failure, FailureClass, Handler},
};
use orders::{OrderError, Orders, Received};
use service_kit::mail::{LetterError, MailError, Mailer};
use url::Url;
use user_directory::{Directory, DirectoryError};

/// The name under which receipts are kept in the inbox.
pub const MAIL_CONSUMER: &str = orders::MAIL_CONSUMER;

/// The events that a customer is told of: an order's ends.
pub(crate) const TOLD: &[&str] = &[
    OrderEventType::Confirmed.as_str(),
    OrderEventType::Rejected.as_str(),
    OrderEventType::Cancelled.as_str(),
    OrderEventType::Refunded.as_str(),
];

pub const MAIL_QUEUE: QueueSpec = QueueSpec {
    name: MAIL_CONSUMER,
    bindings: TOLD,
    delivery_limit: 20,
};

/// Mails in hand at a time.
pub(crate) const PREFETCH: u16 = 4;

/// What the letters need.
#[derive(Clone)]
pub struct MailDeps {
    pub mailer: Mailer,
    /// Who the customers are.
    pub directory: Directory,
    /// For links: from the configuration, never from a request.
    pub public_url: Url,
}

/// Sends the letters about orders.
#[derive(Clone)]
pub(crate) struct OrderMails {
    pub orders: Orders,
    pub deps: MailDeps,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("nobody is told of the event type `{0}`")]
    UnknownType(String),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("the customer's address is none")]
    Address(#[from] InvalidEmail),
    #[error(transparent)]
    Letter(#[from] LetterError),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl Failure for SendError {
    fn class(&self) -> FailureClass {
        let is_transient = match self {
            Self::Order(error) => error.is_transient(),
            // Refused for a reason that lies with us, such as a wrong secret: it can be mended.
            Self::Directory(_) => true,
            Self::Mail(error) => error.is_transient(),
            Self::Decode(_) | Self::UnknownType(_) | Self::Address(_) | Self::Letter(_) => false,
        };
        if is_transient {
            FailureClass::Transient
        } else {
            FailureClass::Permanent
        }
    }
}

impl Handler for OrderMails {
    type Error = SendError;

    async fn handle(&self, message: &Message, _attempt: u32) -> Result<(), SendError> {
        let event_type = OrderEventType::parse(&message.event_type)
            .filter(|event_type| TOLD.contains(&event_type.as_str()))
            .ok_or_else(|| SendError::UnknownType(message.event_type.clone()))?;
        let event = Envelope::<OrderTransitioned>::decode(&message.body)?.data;
        let received = Received {
            consumer: MAIL_CONSUMER,
            message_id: message.id,
        };
        let Some(told) = self.orders.notification(received, event.order_id).await? else {
            return Ok(());
        };
        let customer = told.order.customer_id;
        let people = self.deps.directory.people([customer]).await?;
        // Who has left is told nothing.
        if let Some(person) = people.get(&customer) {
            let site = self.deps.public_url.as_str().trim_end_matches('/');
            if let Some(letter) = letters::letter(event_type, &told, &person.name, site, event.at) {
                let to = Email::parse(&person.email)?;
                let mail = letter.into_mail(message.id, to, event.at)?;
                self.deps.mailer.send(mail).await?;
            }
        }
        let _ = self.orders.acknowledge(received).await?;
        Ok(())
    }
}
