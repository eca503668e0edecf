//! The reconciliation: what has come to differ between the provider's books and ours, and what
//! stands still here, is found by reading alone, so that a dry run finds the same. Then it is mended
//! by the use-cases that would have done so in time.

mod payments;
mod standing;
mod watermark;

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{Money, OrderId};

use crate::domain::{OrderStatus, Verdict};

/// A payment that the provider has taken, as its books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedPayment {
    pub order_id: OrderId,
    pub intent_id: String,
    pub amount: Money,
}

/// Something that is not as it should be, about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    pub order_id: OrderId,
    pub kind: DiscrepancyKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscrepancyKind {
    /// The provider took money that our books say nothing of.
    Charged {
        intent_id: String,
        amount: Money,
        verdict: Verdict,
    },
    /// The provider took money for an order that there is not.
    NoSuchOrder { intent_id: String, amount: Money },
    /// What became of the payment is not known.
    PaymentUnknown { since: DateTime<Utc> },
    /// The order stands still, and nothing is on its way to it.
    Overdue {
        status: OrderStatus,
        since: DateTime<Utc>,
    },
    /// Money is to go back, and nothing is on its way to see to it.
    RefundWaits { intent_id: String },
    /// Every try to give the money back has failed.
    RefundGivenUp { intent_id: String, reason: String },
}

impl DiscrepancyKind {
    /// The discrepancy's name in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Charged { .. } => "charged",
            Self::NoSuchOrder { .. } => "no_such_order",
            Self::PaymentUnknown { .. } => "payment_unknown",
            Self::Overdue { .. } => "overdue",
            Self::RefundWaits { .. } => "refund_waits",
            Self::RefundGivenUp { .. } => "refund_given_up",
        }
    }

    /// The reconciliation can't mend it.
    #[must_use]
    pub const fn needs_a_person(&self) -> bool {
        match self {
            Self::NoSuchOrder { .. } | Self::RefundGivenUp { .. } => true,
            Self::Charged { .. }
            | Self::PaymentUnknown { .. }
            | Self::Overdue { .. }
            | Self::RefundWaits { .. } => false,
        }
    }

    /// What mends it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Charged { verdict, .. } => match verdict {
                Verdict::Pays => "settle the order as paid",
                Verdict::TooLate => "refund the order",
                Verdict::WrongAmount => "give the money back, the payment has failed",
                Verdict::Stray => "give the money back, the order stays as it is",
                Verdict::Known | Verdict::Early => "nothing",
            },
            Self::PaymentUnknown { .. } => "ask the provider again",
            Self::Overdue { .. } => "take the order up again",
            Self::RefundWaits { .. } => "try the refund again",
            Self::NoSuchOrder { .. } | Self::RefundGivenUp { .. } => "a person looks into it",
        }
    }
}

/// One line.
impl fmt::Display for Discrepancy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "order {}: ", self.order_id)?;
        match &self.kind {
            DiscrepancyKind::Charged {
                intent_id, amount, ..
            } => {
                took(formatter, intent_id, *amount)?;
                formatter.write_str("is in no book of ours")?;
            }
            DiscrepancyKind::NoSuchOrder { intent_id, amount } => {
                took(formatter, intent_id, *amount)?;
                formatter.write_str("there is no such order")?;
            }
            DiscrepancyKind::PaymentUnknown { since } => {
                write!(formatter, "its payment is unknown since {since}")?;
            }
            DiscrepancyKind::Overdue { status, since } => {
                write!(formatter, "{} is overdue since {since}", status.as_str())?;
            }
            DiscrepancyKind::RefundWaits { intent_id } => {
                write!(formatter, "{intent_id} is to be given back")?;
            }
            DiscrepancyKind::RefundGivenUp { intent_id, reason } => {
                write!(formatter, "{intent_id} can't be given back: {reason}")?;
            }
        }
        write!(formatter, "; {}", self.kind.remedy())
    }
}

fn took(formatter: &mut fmt::Formatter<'_>, intent_id: &str, amount: Money) -> fmt::Result {
    let Money { amount, currency } = amount;
    write!(
        formatter,
        "{intent_id} over {amount} minor units of {currency} "
    )
}
