//! What the saga tells itself, in two versions: the example of how an event changes. A release
//! writes one version and reads the one before as well, for rows of that may still lie in an
//! outbox, a queue or among the dead letters (docs/events.md).

use kernel::OrderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{DecodeError, Envelope};

/// The worker is to look at an order again.
pub const STEP_OVERDUE: &str = "orders.saga.step_overdue.v2";

/// The same, as it was told before; it is read and no longer written.
pub const STEP_OVERDUE_V1: &str = "orders.saga.step_overdue.v1";

/// The data of [`STEP_OVERDUE`], version 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepOverdue {
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// Why: [`DEADLINE_PASSED`], [`REFUND_DUE`], [`RECONCILED`], or what a newer release says.
    pub reason: String,
}

/// The order has been in its state for too long.
pub const DEADLINE_PASSED: &str = "deadline_passed";

/// A payment beside the order's own is to be given back.
pub const REFUND_DUE: &str = "refund_due";

/// The reconciliation found that the order stands still.
pub const RECONCILED: &str = "reconciled";

/// The data of [`STEP_OVERDUE_V1`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepOverdueV1 {
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
}

/// What every version tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    pub order_id: OrderId,
    /// Version 1 does not tell it.
    pub reason: Option<String>,
}

impl Overdue {
    /// Reads an event of either version.
    pub fn decode(event_type: &str, body: &[u8]) -> Result<Self, DecodeError> {
        if event_type == STEP_OVERDUE_V1 {
            Ok(Envelope::<StepOverdueV1>::decode(body)?.data.into())
        } else {
            Ok(Envelope::<StepOverdue>::decode(body)?.data.into())
        }
    }
}

impl From<StepOverdueV1> for Overdue {
    fn from(data: StepOverdueV1) -> Self {
        Self {
            order_id: data.order_id,
            reason: None,
        }
    }
}

impl From<StepOverdue> for Overdue {
    fn from(data: StepOverdue) -> Self {
        Self {
            order_id: data.order_id,
            reason: Some(data.reason),
        }
    }
}
