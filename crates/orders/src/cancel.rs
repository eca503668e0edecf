//! A customer takes an order back. The worker does what is left to do.

use kernel::{Actor, OrderId, Permission};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    ChangeOrderError, Order, OrderError, Orders, advance::advance, domain::OrderStatus,
    store::orders,
};

impl Orders {
    /// Cancels one of the actor's own orders, as long as it is not paid. What the provider has been
    /// asked for can't be taken back: where it charges nevertheless, the money goes back. Asked for
    /// again, it answers with the order as it stands.
    pub async fn cancel(&self, actor: &Actor, id: OrderId) -> Result<Order, ChangeOrderError> {
        if !actor.may(Permission::CancelOwnOrder) {
            return Err(OrderError::Forbidden.into());
        }
        // Whose it is never changes; where it stands is looked at by the statement that moves it.
        orders::Entity::find_by_id(id.as_uuid())
            .filter(orders::Column::CustomerId.eq(actor.user_id.as_uuid()))
            .one(self.database.reader())
            .await?
            .ok_or(ChangeOrderError::NotFound)?;
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        if let Some(order) = advance(&transaction, now, id, OrderStatus::CancelRequested).await? {
            transaction.commit().await?;
            self.relay.wake();
            return Ok(order);
        }
        let done = [
            OrderStatus::CancelRequested,
            OrderStatus::Cancelled,
            OrderStatus::Refunding,
            OrderStatus::Refunded,
            OrderStatus::RefundFailed,
        ];
        as_it_stands(&transaction, id, &done).await
    }
}

/// The order, if it is in one of the states in which there is nothing left to ask for.
pub(crate) async fn as_it_stands(
    transaction: &sea_orm::DatabaseTransaction,
    id: OrderId,
    done: &[OrderStatus],
) -> Result<Order, ChangeOrderError> {
    let row = orders::Entity::find_by_id(id.as_uuid())
        .one(transaction)
        .await?
        .ok_or(ChangeOrderError::NotFound)?;
    let order = Order::try_from(row)?;
    if done.contains(&order.status) {
        Ok(order)
    } else {
        Err(ChangeOrderError::WrongState(order.status))
    }
}
