//! Payment: an attempt is committed before the provider is called, and settled (`settle_charge`) by
//! whichever answer comes first: the call's own, a webhook's, or that of a later enquiry.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Currency, Money, OrderId, PaymentAttemptId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    OrderError, Orders,
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

/// A charge whose order was taken back before the provider had answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeInDoubt {
    pub charge: Charge,
    /// The time since the order was taken back. No call is begun after that, so once the longest
    /// call's time has passed none is under way.
    pub waited: TimeDelta,
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
    /// The charge of an order that its customer has taken back, as long as nobody knows what became
    /// of it.
    pub async fn charge_in_doubt(
        &self,
        order_id: OrderId,
    ) -> Result<Option<ChargeInDoubt>, OrderError> {
        let now = self.clock.now();
        let open = self
            .open_attempt(order_id, &[OrderStatus::CancelRequested])
            .await?;
        open.map(|(order, attempt)| {
            let waited = now - order.updated_at;
            let charge = charge(order, attempt, now)?;
            Ok(ChargeInDoubt { charge, waited })
        })
        .transpose()
    }

    async fn open_attempt(
        &self,
        order_id: OrderId,
        waiting: &[OrderStatus],
    ) -> Result<Option<(orders::Model, payment_attempts::Model)>, OrderError> {
        let order = orders::Entity::find_by_id(order_id.as_uuid())
            .filter(orders::Column::Status.is_in(waiting.iter().map(|status| status.as_str())))
            .one(self.database.writer())
            .await?;
        let Some(order) = order else {
            return Ok(None);
        };
        let attempt = payment_attempts::Entity::find()
            .filter(payment_attempts::Column::OrderId.eq(order_id.as_uuid()))
            .filter(payment_attempts::Column::Status.eq(OPEN))
            .one(self.database.writer())
            .await?;
        Ok(attempt.map(|attempt| (order, attempt)))
    }
}

pub(crate) fn charge(
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
