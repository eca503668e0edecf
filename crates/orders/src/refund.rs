//! Refunds: the wish is committed with the order's state, then the worker asks the provider, and
//! the answer is settled in one transaction with what follows from it.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Actor, Currency, EventId, Money, OrderId, Permission};
use messaging::inbox::Receipt;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Applied, ChangeOrderError, Order, OrderError, Orders, Received,
    advance::advance,
    cancel::as_it_stands,
    charge,
    domain::OrderStatus,
    reserve,
    store::{payment_attempts, refunds},
};

const OPEN: &str = "open";
const SUCCEEDED: &str = "succeeded";
const FAILED: &str = "failed";

/// What is to be asked of the payment provider. Asking again with the same refund is safe for as
/// long as the provider remembers its id, which is the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: Uuid,
    pub order_id: OrderId,
    /// The provider's name for the payment.
    pub intent_id: String,
    /// The provider's name for the refund, once it has told it: from then on it is asked about
    /// this one. A repeated call would only be given the first answer again.
    pub provider_refund_id: Option<String>,
    pub amount: Money,
    /// The time since it was asked for.
    pub age: TimeDelta,
}

/// What the provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// It gave this amount back.
    Succeeded {
        provider_refund_id: String,
        amount: Money,
    },
    /// It is on its way.
    Pending { provider_refund_id: String },
    /// It did not reach the customer: another one is needed.
    Failed { provider_refund_id: String },
}

impl Orders {
    /// Begins to give all of an order's money back. Its pieces are for others again once the
    /// provider has done so. Asked for again, it answers with the order as it stands.
    pub async fn refund(&self, actor: &Actor, id: OrderId) -> Result<Order, ChangeOrderError> {
        if !actor.may(Permission::RefundOrder) {
            return Err(OrderError::Forbidden.into());
        }
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let Some(order) = advance(&transaction, now, id, OrderStatus::Refunding).await? else {
            let done = [OrderStatus::Refunding, OrderStatus::Refunded];
            return as_it_stands(&transaction, id, &done).await;
        };
        let paid = paid_attempt(&transaction, id).await?;
        let (Some(intent_id), amount) = (paid.intent_id, paid.amount) else {
            return Err(OrderError::from(DbErr::Custom(format!("{id} has no intent"))).into());
        };
        let refund = refunds::Model {
            id: EventId::generate(now).into(),
            order_id: id.into(),
            intent_id,
            provider_refund_id: None,
            status: OPEN.to_owned(),
            amount,
            currency: paid.currency,
            requested_by: actor.user_id.into(),
            created_at: now,
            updated_at: now,
        };
        insert(&transaction, refund).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(order)
    }

    /// The order's refund that the provider has not answered for good. `None`: there is nothing to
    /// give back.
    pub async fn open_refund(&self, order_id: OrderId) -> Result<Option<Refund>, OrderError> {
        let now = self.clock.now();
        let row = open(self.database.writer(), order_id).await?;
        row.map(|row| {
            Ok(Refund {
                id: row.id,
                order_id,
                intent_id: row.intent_id,
                provider_refund_id: row.provider_refund_id,
                amount: Money::new(row.amount, Currency::parse(&row.currency)?),
                age: now - row.created_at,
            })
        })
        .transpose()
    }

    /// Applies the provider's answer: the refund, the order's end, its stock and the receipt of the
    /// message that led to it, in one transaction.
    pub async fn settle_refund(
        &self,
        received: Received,
        order_id: OrderId,
        outcome: &RefundOutcome,
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

/// Whether the answer changed anything.
async fn apply(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    outcome: &RefundOutcome,
) -> Result<bool, OrderError> {
    let Some(refund) = open(transaction, order_id).await? else {
        return Ok(false);
    };
    match outcome {
        RefundOutcome::Succeeded {
            provider_refund_id,
            amount,
        } => {
            let asked = Money::new(refund.amount, Currency::parse(&refund.currency)?);
            if asked != *amount {
                tracing::error!(%order_id, provider_refund_id, ?asked, ?amount, "another amount was given back");
                return Ok(update(transaction, now, &refund, OPEN, provider_refund_id).await?);
            }
            if advance(transaction, now, order_id, OrderStatus::Refunded)
                .await?
                .is_none()
            {
                return Ok(false);
            }
            reserve::take_back(transaction, order_id).await?;
            Ok(update(transaction, now, &refund, SUCCEEDED, provider_refund_id).await?)
        }
        RefundOutcome::Pending { provider_refund_id } => {
            Ok(update(transaction, now, &refund, OPEN, provider_refund_id).await?)
        }
        RefundOutcome::Failed { provider_refund_id } => {
            tracing::error!(%order_id, provider_refund_id, "a refund failed: it is tried anew");
            if !update(transaction, now, &refund, FAILED, provider_refund_id).await? {
                return Ok(false);
            }
            let next = refunds::Model {
                id: EventId::generate(now).into(),
                provider_refund_id: None,
                created_at: now,
                updated_at: now,
                ..refund
            };
            insert(transaction, next).await?;
            Ok(true)
        }
    }
}

/// What the customer paid.
async fn paid_attempt(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<payment_attempts::Model, OrderError> {
    let attempt = payment_attempts::Entity::find()
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .filter(payment_attempts::Column::Status.eq(charge::SUCCEEDED))
        .one(transaction)
        .await?;
    let missing = || DbErr::RecordNotFound(format!("what was paid for {order_id}"));
    Ok(attempt.ok_or_else(missing)?)
}

async fn open(
    connection: &impl ConnectionTrait,
    order_id: OrderId,
) -> Result<Option<refunds::Model>, DbErr> {
    refunds::Entity::find()
        .filter(refunds::Column::OrderId.eq(order_id.as_uuid()))
        .filter(refunds::Column::Status.eq(OPEN))
        // Said again, so that the index of those that have not failed is good for it.
        .filter(refunds::Column::Status.ne(FAILED))
        .one(connection)
        .await
}

async fn insert(transaction: &DatabaseTransaction, row: refunds::Model) -> Result<(), DbErr> {
    refunds::Entity::insert(row.into_active_model())
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// Whether it was still open.
async fn update(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    refund: &refunds::Model,
    status: &str,
    provider_refund_id: &str,
) -> Result<bool, DbErr> {
    let updated = refunds::Entity::update_many()
        .col_expr(refunds::Column::Status, Expr::value(status))
        .col_expr(
            refunds::Column::ProviderRefundId,
            Expr::value(provider_refund_id),
        )
        .col_expr(refunds::Column::UpdatedAt, Expr::value(now))
        .filter(refunds::Column::Id.eq(refund.id))
        .filter(refunds::Column::Status.eq(OPEN))
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected == 1)
}
