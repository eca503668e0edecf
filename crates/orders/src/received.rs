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

/// A use-case under way: one transaction for the receipt of the message that led to it and for all
/// that follows from it.
pub(crate) struct Applying<'a> {
    pub transaction: DatabaseTransaction,
    pub now: DateTime<Utc>,
    orders: &'a Orders,
}

impl Orders {
    /// `None`: the message was applied before.
    pub(crate) async fn begin_applying(
        &self,
        received: Received,
    ) -> Result<Option<Applying<'_>>, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        if received.record(&transaction, now).await? == Receipt::Duplicate {
            return Ok(None);
        }
        Ok(Some(Applying {
            transaction,
            now,
            orders: self,
        }))
    }
}

impl Applying<'_> {
    pub(crate) async fn commit(self, has_changed: bool) -> Result<Applied, OrderError> {
        self.transaction.commit().await?;
        self.orders.relay.wake();
        Ok(if has_changed {
            Applied::Done
        } else {
            Applied::Stale
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
