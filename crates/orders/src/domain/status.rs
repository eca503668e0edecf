use std::str::FromStr;

use chrono::TimeDelta;
use contracts::order_event::OrderEventType;

/// The states of an order.
///
/// ```text
/// PLACED ─► STOCK_RESERVED ─► PAYMENT_PENDING ─► PAID ─► CONFIRMED
///
/// PLACED ─► REJECTED
/// PAYMENT_PENDING ─► PAYMENT_UNKNOWN ─► PAID, PAYMENT_FAILED
/// PAYMENT_PENDING ─► PAYMENT_FAILED ─► CANCELLED
/// PLACED, STOCK_RESERVED, PAYMENT_PENDING, PAYMENT_UNKNOWN ─► CANCEL_REQUESTED ─► CANCELLED
/// PAID, CONFIRMED ─► REFUNDING ─► REFUNDED, REFUND_FAILED
/// ```
///
/// Four more arrows begin a refund, because the payment provider's word is the last one:
///
/// - `CANCEL_REQUESTED ─► REFUNDING`: it had charged when its customer took the order back.
/// - `PAYMENT_FAILED, CANCELLED ─► REFUNDING`: it charged after all.
/// - `REFUNDED ─► REFUNDING`: the refund did not arrive.
/// - `REFUND_FAILED ─► REFUNDING`: somebody has mended the cause and asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    Placed,
    StockReserved,
    PaymentPending,
    /// The provider was asked and its answer is not known: it may have charged.
    PaymentUnknown,
    Paid,
    Confirmed,
    /// There was not enough stock.
    Rejected,
    PaymentFailed,
    CancelRequested,
    /// Not paid, and the stock is released.
    Cancelled,
    Refunding,
    Refunded,
    /// The money could not be given back, however often that was tried: it waits for a person.
    RefundFailed,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown order status `{0}`")]
pub struct UnknownStatus(String);

impl OrderStatus {
    pub const ALL: [Self; 13] = [
        Self::Placed,
        Self::StockReserved,
        Self::PaymentPending,
        Self::PaymentUnknown,
        Self::Paid,
        Self::Confirmed,
        Self::Rejected,
        Self::PaymentFailed,
        Self::CancelRequested,
        Self::Cancelled,
        Self::Refunding,
        Self::Refunded,
        Self::RefundFailed,
    ];

    /// As in the database and in every API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "PLACED",
            Self::StockReserved => "STOCK_RESERVED",
            Self::PaymentPending => "PAYMENT_PENDING",
            Self::PaymentUnknown => "PAYMENT_UNKNOWN",
            Self::Paid => "PAID",
            Self::Confirmed => "CONFIRMED",
            Self::Rejected => "REJECTED",
            Self::PaymentFailed => "PAYMENT_FAILED",
            Self::CancelRequested => "CANCEL_REQUESTED",
            Self::Cancelled => "CANCELLED",
            Self::Refunding => "REFUNDING",
            Self::Refunded => "REFUNDED",
            Self::RefundFailed => "REFUND_FAILED",
        }
    }

    /// The machine: which states may come next.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Placed => &[Self::StockReserved, Self::Rejected, Self::CancelRequested],
            Self::StockReserved => &[Self::PaymentPending, Self::CancelRequested],
            Self::PaymentPending => &[
                Self::Paid,
                Self::PaymentFailed,
                Self::PaymentUnknown,
                Self::CancelRequested,
            ],
            Self::PaymentUnknown => &[Self::Paid, Self::PaymentFailed, Self::CancelRequested],
            Self::Paid => &[Self::Confirmed, Self::Refunding],
            Self::PaymentFailed | Self::CancelRequested => &[Self::Cancelled, Self::Refunding],
            Self::Refunding => &[Self::Refunded, Self::RefundFailed],
            Self::Confirmed | Self::Cancelled | Self::Refunded | Self::RefundFailed => {
                &[Self::Refunding]
            }
            Self::Rejected => &[],
        }
    }

    /// The states from which this one may be entered.
    pub fn predecessors(self) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |from| from.successors().contains(&self))
    }

    /// The saga has nothing left to do by itself. What leads on from here is a wish of staff, or
    /// money that moves at the provider after all.
    #[must_use]
    pub const fn is_end_state(self) -> bool {
        matches!(
            self,
            Self::Confirmed
                | Self::Rejected
                | Self::Cancelled
                | Self::Refunded
                | Self::RefundFailed
        )
    }

    /// How long an order may stay in this state before the worker takes it up again.
    #[must_use]
    pub const fn deadline(self) -> Option<TimeDelta> {
        match self {
            Self::Placed
            | Self::StockReserved
            | Self::PaymentFailed
            | Self::Paid
            | Self::CancelRequested
            | Self::Refunding => Some(TimeDelta::seconds(30)),
            // The provider is asked again, so not at every moment.
            Self::PaymentPending | Self::PaymentUnknown => Some(TimeDelta::seconds(60)),
            Self::Confirmed
            | Self::Rejected
            | Self::Cancelled
            | Self::Refunded
            | Self::RefundFailed => None,
        }
    }

    /// The event that tells of an order entering this state.
    #[must_use]
    pub const fn event_type(self) -> OrderEventType {
        match self {
            Self::Placed => OrderEventType::Placed,
            Self::StockReserved => OrderEventType::StockReserved,
            Self::PaymentPending => OrderEventType::PaymentPending,
            Self::PaymentUnknown => OrderEventType::PaymentUnknown,
            Self::Paid => OrderEventType::Paid,
            Self::Confirmed => OrderEventType::Confirmed,
            Self::Rejected => OrderEventType::Rejected,
            Self::PaymentFailed => OrderEventType::PaymentFailed,
            Self::CancelRequested => OrderEventType::CancelRequested,
            Self::Cancelled => OrderEventType::Cancelled,
            Self::Refunding => OrderEventType::Refunding,
            Self::Refunded => OrderEventType::Refunded,
            Self::RefundFailed => OrderEventType::RefundFailed,
        }
    }
}

impl FromStr for OrderStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_round_trip() {
        for status in OrderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }

    #[test]
    fn every_state_is_reached_from_placed() {
        let mut reached = HashSet::from([OrderStatus::Placed]);
        let mut open = vec![OrderStatus::Placed];
        while let Some(status) = open.pop() {
            open.extend(
                status
                    .successors()
                    .iter()
                    .filter(|next| reached.insert(**next)),
            );
        }
        assert_eq!(reached.len(), OrderStatus::ALL.len());
    }

    #[test]
    fn exactly_the_states_with_work_left_have_a_deadline() {
        for status in OrderStatus::ALL {
            assert_eq!(
                status.deadline().is_none(),
                status.is_end_state(),
                "{status:?}"
            );
        }
    }

    /// Where the choices lead, from the first state until an end state or the last choice.
    fn walk(choices: Vec<usize>) -> Vec<OrderStatus> {
        let mut steps = vec![OrderStatus::Placed];
        for choice in choices {
            let status = steps[steps.len() - 1];
            if status.is_end_state() {
                break;
            }
            let next = status.successors();
            steps.push(next[choice % next.len()]);
        }
        steps
    }

    #[test]
    fn an_end_state_is_only_left_for_a_refund() {
        for status in OrderStatus::ALL {
            if status.is_end_state() {
                let next = status.successors();
                assert!(matches!(next, [] | [OrderStatus::Refunding]), "{status:?}");
            }
        }
    }

    proptest! {
        /// Whatever the choices, the saga comes to an end state in the end.
        #[test]
        fn every_walk_ends_in_an_end_state(choices in prop::collection::vec(0usize..12, 13)) {
            let steps = walk(choices);
            let last = steps[steps.len() - 1];
            prop_assert!(last.is_end_state(), "{steps:?}");
        }

        /// No state is entered twice: nothing goes round in circles.
        #[test]
        fn every_walk_passes_a_state_once(choices in prop::collection::vec(0usize..12, 13)) {
            let steps = walk(choices);
            let different: HashSet<_> = steps.iter().collect();
            prop_assert_eq!(different.len(), steps.len(), "{:?}", steps);
        }

        /// Money is only given back that may have been taken.
        #[test]
        fn what_was_never_charged_is_never_refunded(
            choices in prop::collection::vec(0usize..12, 13),
        ) {
            let steps = walk(choices);
            let asked = [OrderStatus::PaymentPending, OrderStatus::CancelRequested];
            if steps.contains(&OrderStatus::Refunding) {
                prop_assert!(steps.iter().any(|status| asked.contains(status)), "{steps:?}");
            }
        }
    }
}
