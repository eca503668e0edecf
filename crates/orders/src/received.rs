use chrono::{DateTime, Utc};
use messaging::inbox::{self, Receipt};
use sea_orm::{DatabaseTransaction, DbErr};
use uuid::Uuid;

use crate::{OrderError, Orders};

/// The message that a use-case answers to: its receipt is written in the transaction of the
/// effect, so that a message delivered twice is applied once.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    pub consumer: &'static str,
    pub message_id: Uuid,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    Done,
    /// It was applied before.
    Duplicate,
    /// The order has moved on: there was nothing to do.
    Stale,
}

impl Orders {
    /// Leaves the receipt of a message that asked for nothing that is still to be done.
    pub async fn acknowledge(&self, received: Received) -> Result<Applied, OrderError> {
        let connection = self.database.writer();
        let now = self.clock.now();
        let receipt =
            inbox::record(connection, received.consumer, received.message_id, now).await?;
        Ok(match receipt {
            Receipt::Fresh => Applied::Stale,
            Receipt::Duplicate => Applied::Duplicate,
        })
    }
}

impl Received {
    pub(crate) async fn record(
        self,
        transaction: &DatabaseTransaction,
        now: DateTime<Utc>,
    ) -> Result<Receipt, DbErr> {
        inbox::record(transaction, self.consumer, self.message_id, now).await
    }
}
