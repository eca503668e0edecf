use chrono::{DateTime, Utc};
use kernel::OrderId;
use messaging::inbox::{self, Receipt};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use uuid::Uuid;

use crate::{OrderError, Orders, advance::Origin};

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

/// A message that asks for a step of an order. Several of them are worked on in one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) received: Received,
    pub(crate) order_id: OrderId,
    pub(crate) origin: Origin,
}

impl Orders {
    /// Leaves the receipt of a message that asked for nothing that is still to be done.
    pub async fn acknowledge(&self, received: Received) -> Result<Applied, OrderError> {
        self.batches
            .acknowledging
            .run(received, |batch| self.acknowledge_all(batch))
            .await
    }

    async fn acknowledge_all(&self, batch: Vec<Received>) -> Result<Vec<Applied>, OrderError> {
        let receipts = record_all(self.database.writer(), self.clock.now(), &batch).await?;
        Ok(receipts.into_iter().map(Applied::of_no_effect).collect())
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

/// The receipts of many messages, with one statement. The answers are in the messages' order.
pub(crate) async fn record_all(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
    batch: &[Received],
) -> Result<Vec<Receipt>, DbErr> {
    let messages = batch.iter().map(|one| (one.consumer, one.message_id));
    inbox::record_all(connection, messages.collect(), now).await
}

impl Applied {
    /// For a message for which there was nothing to do.
    pub(crate) fn of_no_effect(receipt: Receipt) -> Self {
        match receipt {
            Receipt::Fresh => Self::Stale,
            Receipt::Duplicate => Self::Duplicate,
        }
    }
}

impl Asked {
    /// By the caller.
    pub(crate) fn now(received: Received, order_id: OrderId) -> Self {
        Self {
            received,
            order_id,
            origin: Origin::current(),
        }
    }
}
