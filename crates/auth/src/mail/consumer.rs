use std::sync::Arc;

use contracts::{DecodeError, Envelope};
use messaging::{
    Message,
    consumer::{Failure, FailureClass, Handler},
    inbox,
};
use sea_orm::{DbErr, EntityTrait as _};
use service_kit::mail::{MailError, Mailer};
use url::Url;

use super::{
    MailRequest, QUEUE,
    compose::{ComposeError, compose},
};
use crate::context::Context;

pub(crate) const PREFETCH: u16 = 4;

/// Sends what was requested, at least once: a mail can't be taken back, so a crash between sending
/// and recording sends it again, with the same Message-ID.
#[derive(Clone)]
pub(crate) struct MailConsumer {
    pub context: Arc<Context>,
    pub mailer: Mailer,
    pub public_url: Url,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("the auth database failed")]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl Failure for SendError {
    fn class(&self) -> FailureClass {
        let is_transient = match self {
            Self::Database(_) | Self::Compose(ComposeError::Database(_)) => true,
            Self::Mail(error) => error.is_transient(),
            Self::Decode(_) | Self::Compose(_) => false,
        };
        if is_transient {
            FailureClass::Transient
        } else {
            FailureClass::Permanent
        }
    }
}

impl Handler for MailConsumer {
    type Error = SendError;

    async fn handle(&self, message: &Message, _attempt: u32) -> Result<(), SendError> {
        let database = &self.context.database;
        let receipt = (QUEUE.name.to_owned(), message.id);
        let sent = inbox::Entity::find_by_id(receipt)
            .one(database.reader())
            .await?;
        if sent.is_some() {
            return Ok(());
        }
        let Envelope { time, data, .. } = Envelope::<MailRequest>::decode(&message.body)?;
        let mail = compose(&self.context, &self.public_url, data, message.id, time).await?;
        if let Some(mail) = mail {
            self.mailer.send(mail).await?;
        }
        let _ = inbox::record(
            database.writer(),
            QUEUE.name,
            message.id,
            self.context.now(),
        )
        .await?;
        Ok(())
    }
}
