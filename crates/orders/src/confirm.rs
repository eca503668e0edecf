//! The two ends of the saga: what was paid is sold, what was not is given back.

use kernel::OrderId;
use messaging::inbox::Receipt;

use crate::{
    Applied, OrderError, Orders, Received,
    advance::advance,
    domain::OrderStatus,
    reserve::{self, Outcome},
};

impl Orders {
    /// A paid order is confirmed and its stock sold.
    pub async fn confirm(
        &self,
        received: Received,
        order_id: OrderId,
    ) -> Result<Applied, OrderError> {
        self.end(received, order_id, OrderStatus::Confirmed, Outcome::Sold)
            .await
    }

    /// An order whose payment failed, or that its customer took back, is cancelled and its stock
    /// released: the compensation.
    pub async fn cancel_unpaid(
        &self,
        received: Received,
        order_id: OrderId,
    ) -> Result<Applied, OrderError> {
        self.end(
            received,
            order_id,
            OrderStatus::Cancelled,
            Outcome::Released,
        )
        .await
    }

    async fn end(
        &self,
        received: Received,
        order_id: OrderId,
        status: OrderStatus,
        outcome: Outcome,
    ) -> Result<Applied, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        if received.record(&transaction, now).await? == Receipt::Duplicate {
            return Ok(Applied::Duplicate);
        }
        let order = advance(&transaction, now, order_id, status).await?;
        if order.is_some() {
            reserve::settle(&transaction, &[order_id], outcome).await?;
        }
        transaction.commit().await?;
        self.relay.wake();
        Ok(if order.is_some() {
            Applied::Done
        } else {
            Applied::Stale
        })
    }
}
