//! The end that nearly every order comes to: the provider has taken the money, so the order is paid
//! and confirmed and its stock sold, in one transaction for all that come at the same moment.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{Money, OrderId};
use messaging::inbox::Receipt;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::OnConflict,
};

use crate::{
    Applied, OrderError, Orders, Received,
    advance::advance_all,
    charge::{OPEN, SUCCEEDED},
    domain::{Attempt, OrderStatus, Verdict, judge},
    received::{self, Asked},
    reserve::{self, Outcome},
    store::{orders, payment_attempts},
};

/// A charge that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Charged {
    asked: Asked,
    intent_id: String,
    amount: Money,
}

impl Orders {
    /// Applies the answer that the provider took `amount`: the attempt, the states `PAID` and
    /// `CONFIRMED`, the stock and the receipt. `None`, and nothing is written, if there is more to
    /// think about: the order does not wait for this answer, or another amount was asked for.
    /// [`Orders::settle_charge`] knows what to do then.
    pub async fn confirm_charged(
        &self,
        received: Received,
        order_id: OrderId,
        intent_id: &str,
        amount: Money,
    ) -> Result<Option<Applied>, OrderError> {
        let charged = Charged {
            asked: Asked::now(received, order_id),
            intent_id: intent_id.to_owned(),
            amount,
        };
        self.batches
            .confirming
            .run(charged, |batch| self.confirm_all_charged(batch))
            .await
    }

    async fn confirm_all_charged(
        &self,
        batch: Vec<Charged>,
    ) -> Result<Vec<Option<Applied>>, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let order_ids = batch.iter().map(|charged| charged.asked.order_id);
        let mut waiting = lock_open_attempts(&transaction, order_ids).await?;
        let mut expected = Vec::with_capacity(batch.len());
        for charged in &batch {
            expected.push(match waiting.remove(&charged.asked.order_id) {
                Some((attempt, order)) if pays(&order, &attempt, charged)? => Some(attempt),
                _ => None,
            });
        }
        let receipts = receipts(&transaction, now, &batch, &expected).await?;

        let mut origins = HashMap::new();
        let mut paid = Vec::new();
        for ((charged, attempt), receipt) in batch.iter().zip(expected).zip(&receipts) {
            if let Some(attempt) = attempt
                && *receipt == Some(Receipt::Fresh)
            {
                origins.insert(charged.asked.order_id, charged.asked.origin.clone());
                paid.push(payment_attempts::Model {
                    status: SUCCEEDED.to_owned(),
                    intent_id: Some(charged.intent_id.clone()),
                    updated_at: now,
                    ..attempt
                });
            }
        }
        update_attempts(&transaction, paid).await?;
        let path = [OrderStatus::Paid, OrderStatus::Confirmed];
        let confirmed = advance_all(&transaction, now, &origins, &path).await?;
        let sold: Vec<_> = confirmed.into_iter().map(|order| order.id).collect();
        reserve::settle(&transaction, &sold, Outcome::Sold).await?;
        transaction.commit().await?;
        if !sold.is_empty() {
            self.relay.wake();
        }
        let applied = |receipt: Option<Receipt>| {
            receipt.map(|receipt| match receipt {
                Receipt::Fresh => Applied::Done,
                Receipt::Duplicate => Applied::Duplicate,
            })
        };
        Ok(receipts.into_iter().map(applied).collect())
    }
}

/// The open attempts of those orders that wait for their provider's answer, and these orders, both
/// locked, in the order of the orders' ids.
async fn lock_open_attempts(
    transaction: &DatabaseTransaction,
    order_ids: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, (payment_attempts::Model, orders::Model)>, DbErr> {
    let of_order = payment_attempts::Entity::belongs_to(orders::Entity)
        .from(payment_attempts::Column::OrderId)
        .to(orders::Column::Id)
        .into();
    let from = OrderStatus::Paid.predecessors().map(OrderStatus::as_str);
    let mut lock = payment_attempts::Entity::find()
        .join(JoinType::InnerJoin, of_order)
        .select_also(orders::Entity)
        .filter(orders::Column::Id.is_in(order_ids.map(|id| id.as_uuid())))
        .filter(orders::Column::Status.is_in(from))
        .filter(payment_attempts::Column::Status.eq(OPEN))
        .order_by_asc(orders::Column::Id);
    database::lock_for_update(
        QueryTrait::query(&mut lock),
        transaction.get_database_backend(),
    );
    let rows = lock.all(transaction).await?.into_iter();
    Ok(rows
        .filter_map(|(attempt, order)| Some((attempt.order_id.into(), (attempt, order?))))
        .collect())
}

fn pays(
    order: &orders::Model,
    attempt: &payment_attempts::Model,
    charged: &Charged,
) -> Result<bool, OrderError> {
    let status = order.status.parse()?;
    let attempt = Attempt::try_from(attempt)?;
    let verdict = judge(status, Some(&attempt), &charged.intent_id, charged.amount);
    Ok(verdict == Verdict::Pays)
}

/// Of those that can be confirmed, in the batch's order.
async fn receipts(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    batch: &[Charged],
    expected: &[Option<payment_attempts::Model>],
) -> Result<Vec<Option<Receipt>>, DbErr> {
    let both = batch.iter().zip(expected);
    let received = both.filter_map(|(charged, attempt)| {
        attempt.as_ref()?;
        Some(charged.asked.received)
    });
    let received: Vec<_> = received.collect();
    let mut receipts = received::record_all(transaction, now, &received)
        .await?
        .into_iter();
    let of = |attempt: &Option<_>| attempt.as_ref().and_then(|_| receipts.next());
    Ok(expected.iter().map(of).collect())
}

/// Writes attempts that exist back, with one statement.
async fn update_attempts(
    transaction: &DatabaseTransaction,
    attempts: Vec<payment_attempts::Model>,
) -> Result<(), DbErr> {
    use payment_attempts::Column;
    if attempts.is_empty() {
        return Ok(());
    }
    let rows = attempts.into_iter().map(IntoActiveModel::into_active_model);
    payment_attempts::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(Column::Id)
                .update_columns([Column::Status, Column::IntentId, Column::UpdatedAt])
                .to_owned(),
        )
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
