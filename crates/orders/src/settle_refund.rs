//! What the provider answered about a refund, applied once.

use chrono::TimeDelta;
use kernel::{Currency, EventId, Money, OrderId};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use crate::{
    Applied, OrderError, Orders, Received, RefundOutcome,
    advance::{advance, advance_from},
    domain::{OrderStatus, refund_pause},
    received::Applying,
    refund::{self, FAILED, OPEN, SUCCEEDED},
    reserve,
    store::refunds,
};

impl Orders {
    /// Applies the provider's answer: the refund, the order's end, its stock and the receipt of the
    /// message that led to it, in one transaction. A refund that failed is tried again later, at
    /// most [`MAX_REFUND_TRIES`](crate::domain::MAX_REFUND_TRIES) times; then the order is
    /// `REFUND_FAILED`, for a person to look into.
    pub async fn settle_refund(
        &self,
        received: Received,
        refund_id: Uuid,
        outcome: &RefundOutcome,
    ) -> Result<Applied, OrderError> {
        let Some(step) = self.begin_applying(received).await? else {
            return Ok(Applied::Duplicate);
        };
        let refund = refunds::Entity::find_by_id(refund_id)
            .one(&step.transaction)
            .await?;
        let has_changed = match refund {
            Some(refund) => apply(&step, refund, outcome).await?,
            None => false,
        };
        step.commit(has_changed).await
    }
}

/// Whether the answer changed anything.
async fn apply(
    step: &Applying<'_>,
    refund: refunds::Model,
    outcome: &RefundOutcome,
) -> Result<bool, OrderError> {
    match outcome {
        RefundOutcome::Succeeded {
            provider_refund_id,
            amount,
        } => {
            let asked = Money::new(refund.amount, Currency::parse(&refund.currency)?);
            if asked == *amount {
                return given_back(step, &refund, provider_refund_id).await;
            }
            // Trying again can't help: the provider gives back no more than it took.
            let reason = format!("{amount:?} was given back instead of {asked:?}");
            let failed = failed(step, &refund, Some(provider_refund_id), &reason).await?;
            if failed {
                give_up(step, &refund).await?;
            }
            Ok(failed)
        }
        RefundOutcome::Pending { provider_refund_id } => {
            let change = Change::to(OPEN).named(Some(provider_refund_id));
            Ok(update(step, &refund, &[OPEN], change).await?)
        }
        RefundOutcome::Failed {
            provider_refund_id,
            reason,
        } => {
            if !failed(step, &refund, provider_refund_id.as_deref(), reason).await? {
                return Ok(false);
            }
            let failures = refund::failures(&step.transaction, &refund.intent_id).await?;
            match refund_pause(failures) {
                Some(pause) => try_again(step, refund, pause).await?,
                None => give_up(step, &refund).await?,
            }
            Ok(true)
        }
    }
}

async fn given_back(
    step: &Applying<'_>,
    refund: &refunds::Model,
    provider_refund_id: &str,
) -> Result<bool, OrderError> {
    let change = Change::to(SUCCEEDED).named(Some(provider_refund_id));
    if !update(step, refund, &[OPEN], change).await? {
        return Ok(false);
    }
    let order_id = refund.order_id.into();
    if is_own(&step.transaction, refund).await?
        && advance(&step.transaction, step.now, order_id, OrderStatus::Refunded)
            .await?
            .is_some()
    {
        reserve::take_back(&step.transaction, order_id).await?;
    }
    Ok(true)
}

/// A refund that was said to have succeeded may fail, too, when the customer's bank refuses it.
async fn failed(
    step: &Applying<'_>,
    refund: &refunds::Model,
    provider_refund_id: Option<&str>,
    reason: &str,
) -> Result<bool, DbErr> {
    let order_id = OrderId::from(refund.order_id);
    tracing::warn!(%order_id, refund.intent_id, reason, "a refund failed");
    let change = Change::to(FAILED).named(provider_refund_id).because(reason);
    update(step, refund, &[OPEN, SUCCEEDED], change).await
}

async fn try_again(
    step: &Applying<'_>,
    refund: refunds::Model,
    pause: TimeDelta,
) -> Result<(), OrderError> {
    let order_id = OrderId::from(refund.order_id);
    if is_own(&step.transaction, &refund).await? {
        let (done, again) = ([OrderStatus::Refunded], OrderStatus::Refunding);
        advance_from(&step.transaction, step.now, order_id, &done, again).await?;
    }
    let due_at = step.now + pause;
    let next = refunds::Model {
        // Another key, or the provider would only repeat its answer.
        id: EventId::generate(step.now).into(),
        provider_refund_id: None,
        status: OPEN.to_owned(),
        created_at: step.now,
        updated_at: step.now,
        due_at: Some(due_at),
        failure: None,
        ..refund
    };
    refund::insert(&step.transaction, next).await?;
    refund::look_again(&step.transaction, step.now, order_id, due_at).await
}

async fn give_up(step: &Applying<'_>, refund: &refunds::Model) -> Result<(), OrderError> {
    let order_id = OrderId::from(refund.order_id);
    tracing::error!(
        %order_id,
        refund.intent_id,
        "a payment can't be given back: it waits for a person"
    );
    if !is_own(&step.transaction, refund).await? {
        return Ok(());
    }
    let (done, again) = ([OrderStatus::Refunded], OrderStatus::Refunding);
    advance_from(&step.transaction, step.now, order_id, &done, again).await?;
    let failed = OrderStatus::RefundFailed;
    advance(&step.transaction, step.now, order_id, failed).await?;
    Ok(())
}

/// Whether it is the order's own payment that goes back, and not one beside it.
async fn is_own(transaction: &DatabaseTransaction, refund: &refunds::Model) -> Result<bool, DbErr> {
    let paid = refund::find_own_payment(transaction, refund.order_id.into()).await?;
    Ok(paid.is_some_and(|paid| paid.intent_id.as_ref() == Some(&refund.intent_id)))
}

/// What becomes of a refund's row.
struct Change<'a> {
    status: &'static str,
    provider_refund_id: Option<&'a str>,
    failure: Option<&'a str>,
}

impl<'a> Change<'a> {
    fn to(status: &'static str) -> Self {
        Self {
            status,
            provider_refund_id: None,
            failure: None,
        }
    }

    fn named(mut self, provider_refund_id: Option<&'a str>) -> Self {
        self.provider_refund_id = provider_refund_id;
        self
    }

    fn because(mut self, failure: &'a str) -> Self {
        self.failure = Some(failure);
        self
    }
}

/// Whether it was in one of the states `from`.
async fn update(
    step: &Applying<'_>,
    refund: &refunds::Model,
    from: &[&str],
    change: Change<'_>,
) -> Result<bool, DbErr> {
    let mut update = refunds::Entity::update_many()
        .col_expr(refunds::Column::Status, Expr::value(change.status))
        .col_expr(refunds::Column::UpdatedAt, Expr::value(step.now));
    if let Some(id) = change.provider_refund_id {
        update = update.col_expr(refunds::Column::ProviderRefundId, Expr::value(id));
    }
    if let Some(failure) = change.failure {
        update = update.col_expr(refunds::Column::Failure, Expr::value(failure));
    }
    let updated = update
        .filter(refunds::Column::Id.eq(refund.id))
        .filter(refunds::Column::Status.is_in(from.iter().copied()))
        .exec(&step.transaction)
        .await?;
    Ok(updated.rows_affected == 1)
}
