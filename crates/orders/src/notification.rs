//! What a customer is told about an order, for whoever tells it.

use kernel::OrderId;
use messaging::inbox;
use sea_orm::EntityTrait;

use crate::{HistoryEntry, Order, OrderError, OrderLine, Orders, Received, store::orders};

/// An order with all that a letter about it may mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub order: Order,
    pub lines: Vec<OrderLine>,
    /// Oldest first.
    pub history: Vec<HistoryEntry>,
}

impl Orders {
    /// What there is to tell about an order; `None` if there is none, or if the message was dealt
    /// with before. A letter can't be taken back and belongs to no transaction: who has sent it
    /// says so with [`Orders::acknowledge`], and a crash between the two sends it again.
    pub async fn notification(
        &self,
        received: Received,
        order_id: OrderId,
    ) -> Result<Option<Notification>, OrderError> {
        let receipt = (received.consumer.to_owned(), received.message_id);
        let told = inbox::Entity::find_by_id(receipt)
            .one(self.database.writer())
            .await?;
        if told.is_some() {
            return Ok(None);
        }
        let row = orders::Entity::find_by_id(order_id.as_uuid())
            .one(self.database.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let order = Order::try_from(row)?;
        let mut lines = self.lines_of(std::slice::from_ref(&order)).await?;
        let mut history = self.history_of(&[order_id]).await?;
        Ok(Some(Notification {
            lines: lines.remove(&order_id).unwrap_or_default(),
            history: history.remove(&order_id).unwrap_or_default(),
            order,
        }))
    }
}
