//! Refunds: the wish is committed with the order's state, then the worker asks the provider, and
//! the answer is settled (`settle_refund`) in one transaction with what follows from it.
//!
//! A refund gives back one payment. That is an order's own, or one beside it that nobody wants.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::saga_event::REFUND_DUE;
use kernel::{Actor, Currency, EventId, Money, OrderId, Permission, UserId};
use messaging::outbox;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, TryInsertResult, sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    ChangeOrderError, Order, OrderError, Orders,
    advance::advance_from,
    cancel::as_it_stands,
    charge,
    domain::{MAX_REFUND_TRIES, OrderStatus},
    overdue,
    store::{payment_attempts, refunds},
};

pub(crate) const OPEN: &str = "open";
pub(crate) const SUCCEEDED: &str = "succeeded";
pub(crate) const FAILED: &str = "failed";

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
    /// It did not reach the customer, or the provider would not try: another one is needed.
    Failed {
        provider_refund_id: Option<String>,
        /// In the provider's words.
        reason: String,
    },
}

impl Orders {
    /// Begins to give all of an order's money back. Its pieces are for others again once the
    /// provider has done so. Asked for again, it answers with the order as it stands; after the
    /// last try has failed it begins anew.
    pub async fn refund(&self, actor: &Actor, id: OrderId) -> Result<Order, ChangeOrderError> {
        if !actor.may(Permission::RefundOrder) {
            return Err(OrderError::Forbidden.into());
        }
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let paid = [
            OrderStatus::Paid,
            OrderStatus::Confirmed,
            OrderStatus::RefundFailed,
        ];
        let to = OrderStatus::Refunding;
        let Some(order) = advance_from(&transaction, now, id, &paid, to).await? else {
            let done = [OrderStatus::Refunding, OrderStatus::Refunded];
            return as_it_stands(&transaction, id, &done).await;
        };
        let (intent_id, amount) = own_payment(&transaction, id).await?;
        let refund = new_row(now, id, &intent_id, amount, actor.user_id);
        insert(&transaction, refund).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(order)
    }

    /// A refund of the order that is due and that the provider has not answered for good, the
    /// oldest one. `None`: there is nothing to give back now.
    pub async fn open_refund(&self, order_id: OrderId) -> Result<Option<Refund>, OrderError> {
        let now = self.clock.now();
        let is_due = Condition::any()
            .add(refunds::Column::DueAt.is_null())
            .add(refunds::Column::DueAt.lte(now));
        let row = refunds::Entity::find()
            .filter(refunds::Column::OrderId.eq(order_id.as_uuid()))
            .filter(refunds::Column::Status.eq(OPEN))
            .filter(is_due)
            .order_by_asc(refunds::Column::CreatedAt)
            .one(self.database.writer())
            .await?;
        row.map(|row| refund(row, now)).transpose()
    }

    /// The refund of a payment, unless each that there was has failed.
    pub async fn refund_of(&self, intent_id: &str) -> Result<Option<Refund>, OrderError> {
        let now = self.clock.now();
        let row = refunds::Entity::find()
            .filter(refunds::Column::IntentId.eq(intent_id))
            .filter(refunds::Column::Status.ne(FAILED))
            .one(self.database.writer())
            .await?;
        row.map(|row| refund(row, now)).transpose()
    }
}

fn refund(row: refunds::Model, now: DateTime<Utc>) -> Result<Refund, OrderError> {
    Ok(Refund {
        id: row.id,
        order_id: row.order_id.into(),
        intent_id: row.intent_id,
        provider_refund_id: row.provider_refund_id,
        amount: Money::new(row.amount, Currency::parse(&row.currency)?),
        age: now - row.created_at,
    })
}

pub(crate) fn new_row(
    now: DateTime<Utc>,
    order_id: OrderId,
    intent_id: &str,
    amount: Money,
    requested_by: UserId,
) -> refunds::Model {
    refunds::Model {
        id: EventId::generate(now).into(),
        order_id: order_id.into(),
        intent_id: intent_id.to_owned(),
        provider_refund_id: None,
        status: OPEN.to_owned(),
        amount: amount.amount,
        currency: amount.currency.into(),
        requested_by: requested_by.into(),
        created_at: now,
        updated_at: now,
        due_at: None,
        failure: None,
    }
}

/// Begins to give back a payment that the order does not want. Not done where it has been begun, or
/// has failed too often.
pub(crate) async fn open_for(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    intent_id: &str,
    amount: Money,
    requested_by: UserId,
) -> Result<bool, OrderError> {
    if failures(transaction, intent_id).await? >= MAX_REFUND_TRIES {
        return Ok(false);
    }
    let row = new_row(now, order_id, intent_id, amount, requested_by);
    Ok(insert(transaction, row).await?)
}

/// [`open_for`] a payment beside the order's own: its state tells the worker nothing of that.
pub(crate) async fn open_beside(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    intent_id: &str,
    amount: Money,
) -> Result<bool, OrderError> {
    let nobody = Uuid::nil().into();
    let is_new = open_for(transaction, now, order_id, intent_id, amount, nobody).await?;
    if is_new {
        look_again(transaction, now, order_id, now).await?;
    }
    Ok(is_new)
}

/// Has the worker look at the order at that time.
pub(crate) async fn look_again(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    at: DateTime<Utc>,
) -> Result<(), OrderError> {
    let mut event = overdue::event(now, order_id, REFUND_DUE)?;
    event.available_at = at;
    Ok(outbox::append(transaction, now, event).await?)
}

/// How often giving this payment back has failed.
pub(crate) async fn failures(
    transaction: &DatabaseTransaction,
    intent_id: &str,
) -> Result<u32, DbErr> {
    let failed = refunds::Entity::find()
        .filter(refunds::Column::IntentId.eq(intent_id))
        .filter(refunds::Column::Status.eq(FAILED))
        .count(transaction)
        .await?;
    Ok(u32::try_from(failed).unwrap_or(u32::MAX))
}

/// What the customer paid, and the provider's name for it.
async fn own_payment(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<(String, Money), OrderError> {
    let missing = || DbErr::RecordNotFound(format!("what was paid for {order_id}"));
    let paid = find_own_payment(transaction, order_id)
        .await?
        .ok_or_else(missing)?;
    let amount = Money::new(paid.amount, Currency::parse(&paid.currency)?);
    Ok((paid.intent_id.ok_or_else(missing)?, amount))
}

pub(crate) async fn find_own_payment(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<Option<payment_attempts::Model>, DbErr> {
    payment_attempts::Entity::find()
        .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
        .filter(payment_attempts::Column::Status.eq(charge::SUCCEEDED))
        .one(transaction)
        .await
}

/// Whether it is the payment's only one that has not failed: otherwise nothing is written.
pub(crate) async fn insert(
    transaction: &DatabaseTransaction,
    row: refunds::Model,
) -> Result<bool, DbErr> {
    let inserted = refunds::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(transaction)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}
