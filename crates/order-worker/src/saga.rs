//! Which step an event asks for. A step may be asked for any number of times, in any order: the
//! state machine and the inbox see to it that it takes effect once.

use contracts::{
    DecodeError, Envelope,
    order_event::{
        OrderEventType, OrderTransitioned, PAYMENT_NOTICE_RECEIVED, PaymentNoticeReceived,
    },
};
use kernel::OrderId;
use messaging::Message;
use orders::{
    Applied, ChargeOutcome, OrderError, Orders, Received, STEP_OVERDUE, StepOverdue,
    domain::OrderStatus,
};
use payment::{PaymentError, Stripe};

use crate::{CONSUMER, payments};

/// After this many deliveries an answer that is still missing is recorded as such; the order's
/// deadline then has the provider asked again.
const ATTEMPTS_UNTIL_UNKNOWN: u32 = 3;

pub(crate) const RECEIPTED: &[&str] = &[
    OrderEventType::Placed.as_str(),
    OrderEventType::StockReserved.as_str(),
    OrderEventType::PaymentFailed.as_str(),
    OrderEventType::Paid.as_str(),
    PAYMENT_NOTICE_RECEIVED,
    STEP_OVERDUE,
];

/// Why a message could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("there is no event type `{0}`")]
    UnknownType(String),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
}

impl HandleError {
    /// Whether the same message may be handled a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Decode(_) | Self::UnknownType(_) => false,
            Self::Order(error) => error.is_transient(),
            // Refused for a reason that lies with us, such as a wrong key: it can be mended.
            Self::Payment(_) => true,
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
    pub async fn handle(&self, message: &Message, attempt: u32) -> Result<Applied, HandleError> {
        let received = Received {
            consumer: CONSUMER,
            message_id: message.id,
        };
        match message.event_type.as_str() {
            STEP_OVERDUE => {
                let event = Envelope::<StepOverdue>::decode(&message.body)?;
                self.overdue(received, event.data.order_id, attempt).await
            }
            PAYMENT_NOTICE_RECEIVED => {
                let event = Envelope::<PaymentNoticeReceived>::decode(&message.body)?;
                self.notice(received, &event.data).await
            }
            name => {
                let event_type = OrderEventType::parse(name)
                    .ok_or_else(|| HandleError::UnknownType(name.to_owned()))?;
                let event = Envelope::<OrderTransitioned>::decode(&message.body)?;
                self.transitioned(received, event_type, event.data.order_id, attempt)
                    .await
            }
        }
    }

    async fn transitioned(
        &self,
        received: Received,
        event_type: OrderEventType,
        order_id: OrderId,
        attempt: u32,
    ) -> Result<Applied, HandleError> {
        match event_type {
            OrderEventType::Placed => Ok(self.orders.reserve_stock(received, order_id).await?),
            OrderEventType::StockReserved => self.charge(received, order_id, attempt).await,
            OrderEventType::Paid => Ok(self.orders.confirm(received, order_id).await?),
            OrderEventType::PaymentFailed => {
                Ok(self.orders.cancel_unpaid(received, order_id).await?)
            }
            OrderEventType::PaymentPending
            | OrderEventType::PaymentUnknown
            | OrderEventType::Confirmed
            | OrderEventType::Rejected
            | OrderEventType::CancelRequested
            | OrderEventType::Cancelled
            | OrderEventType::Refunding
            | OrderEventType::Refunded => Ok(Applied::Stale),
        }
    }

    /// Whatever was lost on the way, the order's state says which step is due.
    async fn overdue(
        &self,
        received: Received,
        order_id: OrderId,
        attempt: u32,
    ) -> Result<Applied, HandleError> {
        let due = match self.orders.status(order_id).await? {
            Some(OrderStatus::Placed) => OrderEventType::Placed,
            Some(
                OrderStatus::StockReserved
                | OrderStatus::PaymentPending
                | OrderStatus::PaymentUnknown,
            ) => OrderEventType::StockReserved,
            Some(OrderStatus::Paid) => OrderEventType::Paid,
            Some(OrderStatus::PaymentFailed) => OrderEventType::PaymentFailed,
            Some(
                OrderStatus::Confirmed
                | OrderStatus::Rejected
                | OrderStatus::CancelRequested
                | OrderStatus::Cancelled
                | OrderStatus::Refunding
                | OrderStatus::Refunded,
            )
            | None => return Ok(self.orders.acknowledge(received).await?),
        };
        self.transitioned(received, due, order_id, attempt).await
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
        Ok(self
            .orders
            .settle_charge(received, order_id, &outcome)
            .await?)
    }

    /// A webhook is a hint that may be late, early or forged in its content: the provider is
    /// asked for the truth.
    async fn notice(
        &self,
        received: Received,
        notice: &PaymentNoticeReceived,
    ) -> Result<Applied, HandleError> {
        match payments::enquire(&self.payments, &notice.intent_id).await? {
            Some((order_id, outcome)) => Ok(self
                .orders
                .settle_charge(received, order_id, &outcome)
                .await?),
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
