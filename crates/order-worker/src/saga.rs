//! Which step an event asks for. A step may be asked for any number of times, in any order: the
//! state machine and the inbox see to it that it takes effect once.

use contracts::{
    DecodeError, Envelope, UnknownEvent,
    order_event::{OrderEventType, OrderTransitioned, PaymentNoticeReceived},
    product_event::{self, ProductChanged},
    saga_event::Overdue,
};
use kernel::OrderId;
use messaging::{
    Message,
    consumer::{Failure, FailureClass, Handler},
};
use orders::{Applied, ChargeOutcome, OrderError, Orders, Received};
use payment::{PaymentError, Stripe};

use crate::{
    CONSUMER,
    commands::{Command, Step},
    payments, refunds,
};

/// After this many deliveries an answer that is still missing is recorded as such; the order's
/// deadline then has the provider asked again.
const ATTEMPTS_UNTIL_UNKNOWN: u32 = 3;

/// Why a message could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    UnknownEvent(#[from] UnknownEvent),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
}

impl Failure for HandleError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Decode(_) | Self::UnknownEvent(_) => FailureClass::Permanent,
            Self::Order(error) if error.is_transient() => FailureClass::Transient,
            Self::Order(_) => FailureClass::Permanent,
            // Refused for a reason that lies with us, such as a wrong key: it can be mended.
            Self::Payment(_) => FailureClass::Transient,
        }
    }
}

/// Takes orders a step further.
#[derive(Clone)]
pub struct Saga {
    orders: Orders,
    payments: Stripe,
}

impl Saga {
    #[must_use]
    pub fn new(orders: Orders, payments: Stripe) -> Self {
        Self { orders, payments }
    }

    /// Takes the step that the message asks for. `attempt` counts its deliveries, from 1.
    async fn apply(&self, message: &Message, attempt: u32) -> Result<Applied, HandleError> {
        let received = Received {
            consumer: CONSUMER,
            message_id: message.id,
        };
        let Some(command) = Command::asked_for_by(&message.event_type) else {
            return not_a_step(message);
        };
        match command {
            Command::TakeUpOverdue => {
                let overdue = Overdue::decode(&message.event_type, &message.body)?;
                self.overdue(received, overdue, attempt).await
            }
            Command::SettleNotice => {
                let event = Envelope::<PaymentNoticeReceived>::decode(&message.body)?;
                self.notice(received, &event.data).await
            }
            Command::Step(step) => {
                let event = Envelope::<OrderTransitioned>::decode(&message.body)?;
                self.take(step, received, event.data.order_id, attempt)
                    .await
            }
        }
    }

    async fn take(
        &self,
        step: Step,
        received: Received,
        order_id: OrderId,
        attempt: u32,
    ) -> Result<Applied, HandleError> {
        match step {
            Step::ReserveStock => Ok(self.orders.reserve_stock(received, order_id).await?),
            Step::Charge => self.charge(received, order_id, attempt).await,
            Step::Confirm => Ok(self.orders.confirm(received, order_id).await?),
            Step::CancelUnpaid => Ok(self.orders.cancel_unpaid(received, order_id).await?),
            Step::Cancel => self.cancel(received, order_id).await,
            Step::Refund => self.refund(received, order_id, attempt).await,
        }
    }

    /// Whatever was lost on the way, the order's state says which step is due. An order at its end
    /// may have a payment beside its own to give back.
    async fn overdue(
        &self,
        received: Received,
        Overdue { order_id, reason }: Overdue,
        attempt: u32,
    ) -> Result<Applied, HandleError> {
        tracing::debug!(%order_id, reason, "looks again");
        let status = self.orders.status(order_id).await?;
        match status.and_then(Step::due_in) {
            Some(step) => self.take(step, received, order_id, attempt).await,
            None => self.refund(received, order_id, attempt).await,
        }
    }

    async fn charge(
        &self,
        received: Received,
        order_id: OrderId,
        attempt: u32,
    ) -> Result<Applied, HandleError> {
        let Some(charge) = self.orders.begin_charge(order_id).await? else {
            return Ok(self.orders.acknowledge(received).await?);
        };
        let outcome = match payments::charge(&self.payments, &charge).await {
            Err(PaymentError::Unknown(_)) if attempt >= ATTEMPTS_UNTIL_UNKNOWN => {
                ChargeOutcome::Unknown
            }
            outcome => outcome?,
        };
        self.settle(received, order_id, &outcome).await
    }

    /// Most charges succeed, and their orders are confirmed together.
    async fn settle(
        &self,
        received: Received,
        order_id: OrderId,
        outcome: &ChargeOutcome,
    ) -> Result<Applied, HandleError> {
        if let ChargeOutcome::Succeeded { intent_id, amount } = outcome {
            let confirming = self
                .orders
                .confirm_charged(received, order_id, intent_id, *amount);
            if let Some(applied) = confirming.await? {
                return Ok(applied);
            }
        }
        Ok(self
            .orders
            .settle_charge(received, order_id, outcome)
            .await?)
    }

    /// What the provider has been asked for is found out first. What stays unknown is asked about
    /// again at the order's deadline.
    async fn cancel(&self, received: Received, order_id: OrderId) -> Result<Applied, HandleError> {
        let Some(doubt) = self.orders.charge_in_doubt(order_id).await? else {
            return Ok(self.orders.cancel_unpaid(received, order_id).await?);
        };
        let outcome = payments::find_out(&self.payments, &doubt).await?;
        Ok(self
            .orders
            .settle_charge(received, order_id, &outcome)
            .await?)
    }

    /// An outcome that is not known stays so until the order's deadline, or the reconciliation, has
    /// the provider asked again.
    async fn refund(
        &self,
        received: Received,
        order_id: OrderId,
        attempt: u32,
    ) -> Result<Applied, HandleError> {
        let Some(refund) = self.orders.open_refund(order_id).await? else {
            return Ok(self.orders.acknowledge(received).await?);
        };
        match refunds::refund(&self.payments, &refund).await {
            Err(PaymentError::Unknown(_)) if attempt >= ATTEMPTS_UNTIL_UNKNOWN => {
                Ok(self.orders.acknowledge(received).await?)
            }
            outcome => {
                let settled = self
                    .orders
                    .settle_refund(received, refund.id, &outcome?)
                    .await?;
                Ok(settled)
            }
        }
    }

    /// A webhook is a hint that may be late, early or forged in its content: the provider is
    /// asked for the truth.
    async fn notice(
        &self,
        received: Received,
        notice: &PaymentNoticeReceived,
    ) -> Result<Applied, HandleError> {
        if self.orders.is_old_news(&notice.provider_event_id).await? {
            return Ok(self.orders.acknowledge(received).await?);
        }
        if let Some(refund) = self.orders.refund_of(&notice.intent_id).await?
            && let Some(outcome) = refunds::enquire(&self.payments, &refund).await?
        {
            let settled = self.orders.settle_refund(received, refund.id, &outcome);
            return Ok(settled.await?);
        }
        match payments::enquire(&self.payments, &notice.intent_id).await? {
            Some((order_id, outcome)) => self.settle(received, order_id, &outcome).await,
            None => {
                tracing::warn!(
                    intent_id = notice.intent_id,
                    "a webhook about no order of ours"
                );
                Ok(self.orders.acknowledge(received).await?)
            }
        }
    }
}

impl Handler for Saga {
    type Error = HandleError;

    async fn handle(&self, message: &Message, attempt: u32) -> Result<(), HandleError> {
        let applied = self.apply(message, attempt).await?;
        tracing::debug!(?applied, "handled");
        Ok(())
    }
}

/// The event asks for nothing, if it is one of ours at all.
fn not_a_step(message: &Message) -> Result<Applied, HandleError> {
    let name = &message.event_type;
    if name == product_event::CHANGED {
        Envelope::<ProductChanged>::decode(&message.body)?;
        return Ok(Applied::Stale);
    }
    OrderEventType::parse(name).ok_or_else(|| UnknownEvent::new(name))?;
    Envelope::<OrderTransitioned>::decode(&message.body)?;
    Ok(Applied::Stale)
}

#[cfg(test)]
mod tests {
    use payment::Failure as ProviderFailure;

    use super::*;

    #[test]
    fn a_provider_that_is_away_may_come_back_and_an_unknown_type_stays_unknown() {
        let away = PaymentError::Unavailable(ProviderFailure::TooLarge { limit: 1 });
        assert_eq!(HandleError::from(away).class(), FailureClass::Transient);
        let unknown = HandleError::from(UnknownEvent::new("a.b.v1"));
        assert_eq!(unknown.class(), FailureClass::Permanent);
    }
}
