//! What the ordering context tells the world.

use chrono::{DateTime, Utc};
use kernel::{OrderId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The CloudEvents `source` of the ordering context.
pub const SOURCE: &str = "/plumbline/orders";

/// Matches every order event.
pub const ALL: &str = "orders.order.#";

macro_rules! order_event_types {
    ($($variant:ident = $name:literal,)+) => {
        /// The type of an order event: its name carries the version of its data.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum OrderEventType { $($variant,)+ }

        impl OrderEventType {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

impl OrderEventType {
    /// The state that the event tells of, as [`OrderTransitioned::status`] names it.
    #[must_use]
    pub fn status(self) -> String {
        let words = self.as_str().split('.');
        words.rev().nth(1).unwrap_or_default().to_uppercase()
    }
}

order_event_types! {
    Placed = "orders.order.placed.v1",
    StockReserved = "orders.order.stock_reserved.v1",
    Rejected = "orders.order.rejected.v1",
    PaymentPending = "orders.order.payment_pending.v1",
    PaymentUnknown = "orders.order.payment_unknown.v1",
    PaymentFailed = "orders.order.payment_failed.v1",
    Paid = "orders.order.paid.v1",
    Confirmed = "orders.order.confirmed.v1",
    CancelRequested = "orders.order.cancel_requested.v1",
    Cancelled = "orders.order.cancelled.v1",
    Refunding = "orders.order.refunding.v1",
    Refunded = "orders.order.refunded.v1",
    RefundFailed = "orders.order.refund_failed.v1",
}

/// The data of every order event, version 1: the order went from one state to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderTransitioned {
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    #[schema(value_type = Uuid)]
    pub customer_id: UserId,
    /// The state after the transition, upper case as in the APIs.
    pub status: String,
    /// Counts the order's transitions: a reader keeps the newest and drops what comes late.
    pub version: i32,
    pub at: DateTime<Utc>,
}

/// A payment provider's webhook was stored: the worker asks the provider what became of it.
pub const PAYMENT_NOTICE_RECEIVED: &str = "orders.payment.notice_received.v1";

/// The data of [`PAYMENT_NOTICE_RECEIVED`], version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentNoticeReceived {
    pub provider_event_id: String,
    pub intent_id: String,
}
