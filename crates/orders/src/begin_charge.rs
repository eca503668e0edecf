//! The payment attempt is committed before the provider is called.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{OrderId, PaymentAttemptId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QueryTrait,
};

use crate::{
    Charge, Order, OrderError, Orders,
    advance::{Origin, advance_all},
    charge::{self, OPEN},
    domain::OrderStatus,
    store::{orders, payment_attempts},
};

/// An order that is to be charged.
#[derive(Clone, Debug)]
pub(crate) struct ToCharge {
    order_id: OrderId,
    origin: Origin,
}

impl Orders {
    /// Opens the order's payment attempt, or finds the one that is open. `None`: there is nothing
    /// to charge, the order is elsewhere. What is asked for at the same moment is done in one
    /// transaction.
    pub async fn begin_charge(&self, order_id: OrderId) -> Result<Option<Charge>, OrderError> {
        let order = ToCharge {
            order_id,
            origin: Origin::current(),
        };
        self.batches
            .charging
            .run(order, |batch| self.begin_charges(batch))
            .await
    }

    async fn begin_charges(&self, batch: Vec<ToCharge>) -> Result<Vec<Option<Charge>>, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let rows = lock(&transaction, batch.iter().map(|order| order.order_id)).await?;
        let is_new = |row: &&orders::Model| row.status == OrderStatus::StockReserved.as_str();
        let (new, charged): (Vec<_>, Vec<_>) = rows.values().partition(is_new);
        let new: Vec<OrderId> = new.into_iter().map(|row| row.id.into()).collect();
        let origins = batch.iter().filter(|order| new.contains(&order.order_id));
        let origins = origins
            .map(|order| (order.order_id, order.origin.clone()))
            .collect();
        let path = [OrderStatus::PaymentPending];
        let begun = advance_all(&transaction, now, &origins, &path).await?;
        let mut attempts = open_attempts(&transaction, now, &begun).await?;
        attempts.extend(find_attempts(&transaction, charged).await?);
        transaction.commit().await?;
        if !begun.is_empty() {
            self.relay.wake();
        }
        let attempts: HashMap<_, _> = attempts
            .into_iter()
            .map(|attempt| (attempt.order_id, attempt))
            .collect();
        let charge = |order: &ToCharge| {
            let row = rows.get(&order.order_id);
            let attempt = attempts.get(&order.order_id.as_uuid());
            row.zip(attempt)
                .map(|(row, attempt)| charge::charge(row.clone(), attempt.clone(), now))
                .transpose()
        };
        batch.iter().map(charge).collect()
    }
}

/// Those of the orders that are to be charged or are being charged, locked in the order of their
/// ids.
async fn lock(
    transaction: &DatabaseTransaction,
    order_ids: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, orders::Model>, DbErr> {
    let statuses = [
        OrderStatus::StockReserved,
        OrderStatus::PaymentPending,
        OrderStatus::PaymentUnknown,
    ];
    let mut lock = orders::Entity::find()
        .filter(orders::Column::Id.is_in(order_ids.map(|id| id.as_uuid())))
        .filter(orders::Column::Status.is_in(statuses.map(OrderStatus::as_str)))
        .order_by_asc(orders::Column::Id);
    database::lock_for_update(
        QueryTrait::query(&mut lock),
        transaction.get_database_backend(),
    );
    let rows = lock.all(transaction).await?.into_iter();
    Ok(rows.map(|row| (row.id.into(), row)).collect())
}

/// Writes an attempt for the whole amount of each order.
async fn open_attempts(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    orders: &[Order],
) -> Result<Vec<payment_attempts::Model>, DbErr> {
    let attempts = orders.iter().map(|order| payment_attempts::Model {
        id: PaymentAttemptId::generate(now).into(),
        order_id: order.id.into(),
        intent_id: None,
        status: OPEN.to_owned(),
        amount: order.total.amount,
        currency: order.total.currency.into(),
        created_at: now,
        updated_at: now,
    });
    let attempts: Vec<_> = attempts.collect();
    if !attempts.is_empty() {
        let rows = attempts.iter().cloned();
        payment_attempts::Entity::insert_many(rows.map(payment_attempts::ActiveModel::from))
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(attempts)
}

async fn find_attempts(
    transaction: &DatabaseTransaction,
    charged: Vec<&orders::Model>,
) -> Result<Vec<payment_attempts::Model>, DbErr> {
    if charged.is_empty() {
        return Ok(Vec::new());
    }
    payment_attempts::Entity::find()
        .filter(payment_attempts::Column::OrderId.is_in(charged.iter().map(|row| row.id)))
        .filter(payment_attempts::Column::Status.eq(OPEN))
        .all(transaction)
        .await
}
