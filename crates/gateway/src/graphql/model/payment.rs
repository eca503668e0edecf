use async_graphql::{Enum, SimpleObject};

use super::{Money, Timestamp};

/// How far a payment has come.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "orders::PaymentStatus")]
pub(in crate::graphql) enum PaymentStatus {
    /// The payment provider has been asked, and its answer is not known.
    Pending,
    /// The money was taken.
    Succeeded,
    /// The payment provider refused. Nothing was taken.
    Declined,
}

/// The payment of an order.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Payment {
    status: PaymentStatus,
    /// The payment provider's name for it, once it has told it.
    reference: Option<String>,
    /// What the provider was asked for.
    amount: Money,
    /// When it was asked for.
    created_at: Timestamp,
    /// When its status changed last.
    updated_at: Timestamp,
}

impl From<orders::Payment> for Payment {
    fn from(payment: orders::Payment) -> Self {
        Self {
            status: payment.status.into(),
            reference: payment.reference,
            amount: payment.amount.into(),
            created_at: payment.created_at.into(),
            updated_at: payment.updated_at.into(),
        }
    }
}
