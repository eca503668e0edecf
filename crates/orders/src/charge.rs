//! Payment: an attempt is committed before the provider is called, and settled by whichever
//! answer comes first: the call's own, a webhook's, or that of a later enquiry.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Currency, Money, OrderId, PaymentAttemptId};
use messaging::inbox::Receipt;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    Applied, OrderError, Orders, Received,
    advance::advance,
    domain::OrderStatus,
    store::{orders, payment_attempts},
};

pub(crate) const OPEN: &str = "open";
pub(crate) const SUCCEEDED: &str = "succeeded";
pub(crate) const DECLINED: &str = "declined";

/// What is to be asked of the payment provider. Asking again with the same attempt is safe for as
/// long as the provider remembers its id, which is the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub attempt_id: PaymentAttemptId,
    pub order_id: OrderId,
    pub amount: Money,
    pub payment_method: String,
    /// The provider's name for the payment, once it has told it: from then on it is asked about
    /// this one. A repeated call would only be given the first answer again.
    pub intent_id: Option<String>,
    pub started_at: DateTime<Utc>,
    /// The time since `started_at`.
    pub age: TimeDelta,
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
            return self.open_charge(order_id, now).await;
        };
        let attempt = payment_attempts::Model {
            id: PaymentAttemptId::generate(now).into(),
            order_id: order_id.into(),
            intent_id: None,
            status: OPEN.to_owned(),
            amount: order.total.amount,
            currency: order.total.currency.into(),
            created_at: now,
            updated_at: now,
        };
        payment_attempts::Entity::insert(payment_attempts::ActiveModel::from(attempt.clone()))
            .exec_without_returning(&transaction)
            .await?;
        let row = orders::Entity::find_by_id(order_id.as_uuid())
            .one(&transaction)
            .await?;
        transaction.commit().await?;
        self.relay.wake();
        row.map(|row| charge(row, attempt, now)).transpose()
    }

    async fn open_charge(
        &self,
        order_id: OrderId,
        now: DateTime<Utc>,
    ) -> Result<Option<Charge>, OrderError> {
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
        match (order, attempt) {
            (Some(order), Some(attempt)) => Ok(Some(charge(order, attempt, now)?)),
            _ => Ok(None),
        }
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
        let changed = apply(&transaction, now, order_id, outcome).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(if changed {
            Applied::Done
        } else {
            Applied::Stale
        })
    }
}

fn charge(
    order: orders::Model,
    attempt: payment_attempts::Model,
    now: DateTime<Utc>,
) -> Result<Charge, OrderError> {
    Ok(Charge {
        attempt_id: attempt.id.into(),
        order_id: order.id.into(),
        amount: Money::new(attempt.amount, Currency::parse(&attempt.currency)?),
        payment_method: order.payment_method,
        intent_id: attempt.intent_id,
        started_at: attempt.created_at,
        age: now - attempt.created_at,
    })
}

/// Whether the answer changed anything.
async fn apply(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    outcome: &ChargeOutcome,
) -> Result<bool, OrderError> {
    let next = match outcome {
        ChargeOutcome::Succeeded { intent_id, amount } => {
            match attempted(transaction, order_id).await? {
                Some(asked) if asked == *amount => {
                    update_open(transaction, now, order_id, SUCCEEDED, Some(intent_id)).await?;
                    OrderStatus::Paid
                }
                Some(asked) => {
                    tracing::error!(%order_id, intent_id, ?asked, ?amount, "another amount was charged");
                    update_open(transaction, now, order_id, OPEN, Some(intent_id)).await?;
                    OrderStatus::PaymentUnknown
                }
                None => {
                    tracing::error!(%order_id, intent_id, ?amount, "charged, and nobody asked for it");
                    return Ok(false);
                }
            }
        }
        ChargeOutcome::Processing { intent_id } => {
            return Ok(update_open(transaction, now, order_id, OPEN, Some(intent_id)).await?);
        }
        ChargeOutcome::Declined { intent_id } => {
            let intent_id = intent_id.as_deref();
            update_open(transaction, now, order_id, DECLINED, intent_id).await?;
            OrderStatus::PaymentFailed
        }
        ChargeOutcome::Unknown => OrderStatus::PaymentUnknown,
    };
    Ok(advance(transaction, now, order_id, next).await?.is_some())
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

/// Whether there was an open attempt.
async fn update_open(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    status: &str,
    intent_id: Option<&str>,
) -> Result<bool, DbErr> {
    let mut update = payment_attempts::Entity::update_many()
        .col_expr(payment_attempts::Column::Status, Expr::value(status))
        .col_expr(payment_attempts::Column::UpdatedAt, Expr::value(now));
    if let Some(intent_id) = intent_id {
        update = update.col_expr(payment_attempts::Column::IntentId, Expr::value(intent_id));
    }
    let updated = update
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .filter(payment_attempts::Column::Status.eq(OPEN))
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected > 0)
}
