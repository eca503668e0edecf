use std::{sync::Arc, time::Duration};

use contracts::{DecodeError, Envelope};
use futures_util::StreamExt as _;
use messaging::{Broker, Delivery, Message, inbox};
use sea_orm::{DbErr, EntityTrait as _};
use service_kit::mail::{MailError, Mailer};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use url::Url;

use super::{
    MailRequest, QUEUE,
    compose::{ComposeError, compose},
};
use crate::context::Context;

const PREFETCH: u16 = 4;
/// After a failure that may pass; doubled with every attempt ...
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Sends what was requested, at least once: a mail can't be taken back, so a crash between sending
/// and recording sends it again, with the same Message-ID.
#[derive(Clone)]
pub(crate) struct MailConsumer {
    pub context: Arc<Context>,
    pub mailer: Mailer,
    pub public_url: Url,
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("the auth database failed")]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl SendError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Database(_) | Self::Compose(ComposeError::Database(_)) => true,
            Self::Mail(error) => error.is_transient(),
            Self::Decode(_) | Self::Compose(_) => false,
        }
    }
}

impl MailConsumer {
    pub(crate) async fn run(self, broker: Broker, stop: CancellationToken) {
        let deliveries = match broker.consume(QUEUE.name, PREFETCH) {
            Ok(deliveries) => deliveries,
            Err(error) => {
                tracing::error!(%error, "no mail will be sent: connect the broker with auth::queues()");
                return;
            }
        };
        deliveries
            .take_until(stop.cancelled())
            .for_each_concurrent(usize::from(PREFETCH), |delivery| {
                self.handle(delivery, &stop)
            })
            .await;
    }

    async fn handle(&self, delivery: Delivery, stop: &CancellationToken) {
        let span = delivery.message.span(QUEUE.name);
        match self.process(&delivery.message).instrument(span).await {
            Ok(()) => delivery.ack().await,
            Err(error) if error.is_transient() => {
                tracing::warn!(
                    message_id = %delivery.message.id,
                    attempt = delivery.attempt,
                    error = &error as &dyn std::error::Error,
                    "the mail was not sent and will be tried again"
                );
                stop.run_until_cancelled(tokio::time::sleep(pause(delivery.attempt)))
                    .await;
                delivery.retry().await;
            }
            Err(error) => {
                let reason = service_kit::problem::chain(&error);
                delivery.dead_letter(&reason).await;
            }
        }
    }

    async fn process(&self, message: &Message) -> Result<(), SendError> {
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

fn pause(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(6);
    (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let seconds: Vec<_> = (1..9).map(|attempt| pause(attempt).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(u32::MAX).as_secs(), 60);
    }
}
