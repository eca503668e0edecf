//! Payment: an attempt is committed before the provider is called, and settled by whichever
//! answer comes first: the call's own, a webhook's, or that of a later enquiry.

use chrono::{DateTime, Utc};
use kernel::{Currency, Money, OrderId, PaymentAttemptId};
use messaging::inbox::Receipt;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    sea_query::Expr,
};

use crate::{
    Applied, OrderError, Orders, Received,
    advance::advance,
    domain::OrderStatus,
    store::{orders, payment_attempts},
};

const OPEN: &str = "open";
const SUCCEEDED: &str = "succeeded";
const DECLINED: &str = "declined";

/// What is to be asked of the payment provider. Asking again with the same attempt is safe: its
/// id is the provider's idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub attempt_id: PaymentAttemptId,
    pub order_id: OrderId,
    pub amount: Money,
    pub payment_method: String,
}

/// What the provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// It took this amount.
    Succeeded { intent_id: String, amount: Money },
    /// It will tell by webhook.
    Processing { intent_id: String },
    /// It took nothing, and never will on this attempt.
    Declined { intent_id: Option<String> },
    /// It may or may not have taken the money.
    Unknown,
}

impl Orders {
    /// Opens the order's payment attempt, or finds the one that is open. `None`: there is nothing
    /// to charge, the order is elsewhere.
    pub async fn begin_charge(&self, order_id: OrderId) -> Result<Option<Charge>, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let Some(order) = advance(&transaction, now, order_id, OrderStatus::PaymentPending).await?
        else {
            transaction.rollback().await?;
            return self.open_charge(order_id).await;
        };
        let attempt_id = PaymentAttemptId::generate(now);
        let attempt = payment_attempts::ActiveModel {
            id: Set(attempt_id.into()),
            order_id: Set(order_id.into()),
            intent_id: Set(None),
            status: Set(OPEN.to_owned()),
            amount: Set(order.total.amount),
            currency: Set(order.total.currency.into()),
            created_at: Set(now),
            updated_at: Set(now),
        };
        payment_attempts::Entity::insert(attempt)
            .exec_without_returning(&transaction)
            .await?;
        let row = orders::Entity::find_by_id(order_id.as_uuid())
            .one(&transaction)
            .await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(row.map(|row| Charge {
            attempt_id,
            order_id,
            amount: order.total,
            payment_method: row.payment_method,
        }))
    }

    async fn open_charge(&self, order_id: OrderId) -> Result<Option<Charge>, OrderError> {
        let waiting = [OrderStatus::PaymentPending, OrderStatus::PaymentUnknown];
        let order = orders::Entity::find_by_id(order_id.as_uuid())
            .filter(orders::Column::Status.is_in(waiting.map(OrderStatus::as_str)))
            .one(self.database.writer())
            .await?;
        let attempt = payment_attempts::Entity::find()
            .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
            .filter(payment_attempts::Column::Status.eq(OPEN))
            .one(self.database.writer())
            .await?;
        let (Some(order), Some(attempt)) = (order, attempt) else {
            return Ok(None);
        };
        Ok(Some(Charge {
            attempt_id: attempt.id.into(),
            order_id,
            amount: Money::new(attempt.amount, Currency::parse(&attempt.currency)?),
            payment_method: order.payment_method,
        }))
    }

    /// Applies the provider's answer: the attempt, the order's next state and the receipt of the
    /// message that led to it, in one transaction.
    pub async fn settle_charge(
        &self,
        received: Received,
        order_id: OrderId,
        outcome: &ChargeOutcome,
    ) -> Result<Applied, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        if received.record(&transaction, now).await? == Receipt::Duplicate {
            return Ok(Applied::Duplicate);
        }
        let next = match outcome {
            ChargeOutcome::Succeeded { intent_id, amount } => {
                if attempted(&transaction, order_id).await? == Some(*amount) {
                    close(&transaction, now, order_id, SUCCEEDED, Some(intent_id)).await?;
                    Some(OrderStatus::Paid)
                } else {
                    tracing::error!(%order_id, intent_id, ?amount, "another amount was charged");
                    Some(OrderStatus::PaymentUnknown)
                }
            }
            ChargeOutcome::Processing { intent_id } => {
                close(&transaction, now, order_id, OPEN, Some(intent_id)).await?;
                None
            }
            ChargeOutcome::Declined { intent_id } => {
                close(&transaction, now, order_id, DECLINED, intent_id.as_deref()).await?;
                Some(OrderStatus::PaymentFailed)
            }
            ChargeOutcome::Unknown => Some(OrderStatus::PaymentUnknown),
        };
        let moved = match next {
            Some(status) => advance(&transaction, now, order_id, status)
                .await?
                .is_some(),
            None => true,
        };
        transaction.commit().await?;
        self.relay.wake();
        Ok(if moved { Applied::Done } else { Applied::Stale })
    }
}

/// The amount of the attempt that is open or was paid.
async fn attempted(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<Option<Money>, OrderError> {
    let attempt = payment_attempts::Entity::find()
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .filter(payment_attempts::Column::Status.is_in([OPEN, SUCCEEDED]))
        .one(transaction)
        .await?;
    let Some(attempt) = attempt else {
        return Ok(None);
    };
    Ok(Some(Money::new(
        attempt.amount,
        Currency::parse(&attempt.currency)?,
    )))
}

async fn close(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    status: &str,
    intent_id: Option<&str>,
) -> Result<(), DbErr> {
    payment_attempts::Entity::update_many()
        .col_expr(payment_attempts::Column::Status, Expr::value(status))
        .col_expr(payment_attempts::Column::IntentId, Expr::value(intent_id))
        .col_expr(payment_attempts::Column::UpdatedAt, Expr::value(now))
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .filter(payment_attempts::Column::Status.eq(OPEN))
        .exec(transaction)
        .await?;
    Ok(())
}
