//! What the provider answered about a charge, applied once.

use chrono::{DateTime, Utc};
use kernel::{Currency, Money, OrderId, UserId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QueryTrait, sea_query::Expr,
};

use crate::{
    Applied, ChargeOutcome, OrderError, Orders, Received,
    advance::{advance, advance_from},
    charge::{DECLINED, OPEN, SUCCEEDED},
    domain::{Attempt, OrderStatus, Verdict, judge},
    received::Applying,
    refund, reserve,
    store::{orders, payment_attempts},
    view::payment_status,
};

impl Orders {
    /// Applies the provider's answer: the attempt, the order's next state and the receipt of the
    /// message that led to it, in one transaction. Money that the order does not want goes back.
    pub async fn settle_charge(
        &self,
        received: Received,
        order_id: OrderId,
        outcome: &ChargeOutcome,
    ) -> Result<Applied, OrderError> {
        let Some(step) = self.begin_applying(received).await? else {
            return Ok(Applied::Duplicate);
        };
        let has_changed = apply(&step, order_id, outcome).await?;
        step.commit(has_changed).await
    }
}

/// Whether the answer changed anything.
async fn apply(
    step: &Applying<'_>,
    order_id: OrderId,
    outcome: &ChargeOutcome,
) -> Result<bool, OrderError> {
    let (transaction, now) = (&step.transaction, step.now);
    match outcome {
        ChargeOutcome::Succeeded { intent_id, amount } => {
            charged(step, order_id, intent_id, *amount).await
        }
        ChargeOutcome::Processing { intent_id } => {
            Ok(settle_open(transaction, now, order_id, OPEN, Some(intent_id)).await?)
        }
        ChargeOutcome::Declined { intent_id } => {
            declined(step, order_id, intent_id.as_deref()).await
        }
        ChargeOutcome::Unknown => {
            let moved = advance(transaction, now, order_id, OrderStatus::PaymentUnknown).await?;
            Ok(moved.is_some())
        }
    }
}

/// The payment has failed; an order that was taken back ends with that.
async fn declined(
    step: &Applying<'_>,
    order_id: OrderId,
    intent_id: Option<&str>,
) -> Result<bool, OrderError> {
    let (transaction, now) = (&step.transaction, step.now);
    if !settle_open(transaction, now, order_id, DECLINED, intent_id).await? {
        return Ok(false);
    }
    let failed = advance(transaction, now, order_id, OrderStatus::PaymentFailed).await?;
    if failed.is_none() {
        let taken_back = [OrderStatus::CancelRequested];
        let to = OrderStatus::Cancelled;
        let cancelled = advance_from(transaction, now, order_id, &taken_back, to).await?;
        if cancelled.is_some() {
            reserve::settle(transaction, &[order_id], reserve::Outcome::Released).await?;
        }
    }
    Ok(true)
}

/// The provider has taken this amount.
async fn charged(
    step: &Applying<'_>,
    order_id: OrderId,
    intent_id: &str,
    amount: Money,
) -> Result<bool, OrderError> {
    let (transaction, now) = (&step.transaction, step.now);
    let attempt = newest_attempt(transaction, order_id).await?;
    let Some(order) = orders::Entity::find_by_id(order_id.as_uuid())
        .one(transaction)
        .await?
    else {
        tracing::error!(%order_id, intent_id, "charged for an order that there is not");
        return Ok(false);
    };
    let asked = attempt.as_ref().map(Attempt::try_from).transpose()?;
    let verdict = judge(order.status.parse()?, asked.as_ref(), intent_id, amount);
    match verdict {
        Verdict::Known | Verdict::Early => return Ok(false),
        Verdict::Pays => {}
        Verdict::TooLate | Verdict::WrongAmount | Verdict::Stray => {
            tracing::warn!(%order_id, intent_id, ?verdict, ?amount, "a payment goes back");
        }
    }
    if verdict == Verdict::Stray {
        return refund::open_beside(transaction, now, order_id, intent_id, amount).await;
    }
    if verdict == Verdict::WrongAmount {
        refund::open_beside(transaction, now, order_id, intent_id, amount).await?;
        return declined(step, order_id, Some(intent_id)).await;
    }
    if let Some(attempt) = attempt {
        set_paid(transaction, now, &attempt, intent_id).await?;
    }
    // The customer may have taken the order back a moment ago, so `Pays` is no promise.
    if advance(transaction, now, order_id, OrderStatus::Paid)
        .await?
        .is_some()
    {
        return Ok(true);
    }
    let customer = UserId::from(order.customer_id);
    give_back(transaction, now, order_id, intent_id, amount, customer).await
}

/// The order's own payment came when nobody wanted it any more.
async fn give_back(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    intent_id: &str,
    amount: Money,
    customer: UserId,
) -> Result<bool, OrderError> {
    let unwanted = [
        OrderStatus::CancelRequested,
        OrderStatus::PaymentFailed,
        OrderStatus::Cancelled,
    ];
    let to = OrderStatus::Refunding;
    let moved = advance_from(transaction, now, order_id, &unwanted, to).await?;
    refund::open_for(transaction, now, order_id, intent_id, amount, customer).await?;
    Ok(moved.is_some())
}

/// Locked until the transaction ends, so that of two answers at once the second sees the first
/// one's effect.
async fn newest_attempt(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<Option<payment_attempts::Model>, OrderError> {
    let mut attempts = payment_attempts::Entity::find()
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .order_by_desc(payment_attempts::Column::CreatedAt)
        .order_by_desc(payment_attempts::Column::Id);
    database::lock_for_update(
        QueryTrait::query(&mut attempts),
        transaction.get_database_backend(),
    );
    Ok(attempts.one(transaction).await?)
}

impl TryFrom<&payment_attempts::Model> for Attempt {
    type Error = OrderError;

    fn try_from(row: &payment_attempts::Model) -> Result<Self, OrderError> {
        Ok(Self {
            status: payment_status(&row.status)?,
            intent_id: row.intent_id.clone(),
            amount: Money::new(row.amount, Currency::parse(&row.currency)?),
        })
    }
}

async fn set_paid(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    attempt: &payment_attempts::Model,
    intent_id: &str,
) -> Result<(), DbErr> {
    payment_attempts::Entity::update_many()
        .col_expr(payment_attempts::Column::Status, Expr::value(SUCCEEDED))
        .col_expr(payment_attempts::Column::UpdatedAt, Expr::value(now))
        .col_expr(payment_attempts::Column::IntentId, Expr::value(intent_id))
        .filter(payment_attempts::Column::Id.eq(attempt.id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Whether there was an open attempt, of which this intent is or may be.
async fn settle_open(
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
        let is_its_own = Condition::any()
            .add(payment_attempts::Column::IntentId.is_null())
            .add(payment_attempts::Column::IntentId.eq(intent_id));
        update = update
            .col_expr(payment_attempts::Column::IntentId, Expr::value(intent_id))
            .filter(is_its_own);
    }
    let updated = update
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .filter(payment_attempts::Column::Status.eq(OPEN))
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected > 0)
}
