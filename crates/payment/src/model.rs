use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{Currency, Money, OrderId};
use serde::Deserialize;

/// A charge to make: created and confirmed in one call.
#[derive(Clone, Debug)]
pub struct CreateIntent {
    pub amount: Money,
    /// Stripe's payment method id or test token, such as `pm_card_visa`.
    pub payment_method: String,
    /// Kept in the intent's metadata as `order_id`.
    pub order_id: OrderId,
    /// At most 255 characters.
    pub idempotency_key: String,
    /// W3C Trace Context of the caller, passed on in the request's header.
    pub traceparent: Option<String>,
}

/// A refund of all that an intent received.
#[derive(Clone, Debug)]
pub struct CreateRefund {
    pub intent_id: String,
    pub idempotency_key: String,
    pub traceparent: Option<String>,
}

/// Which intents to list, newest first.
#[derive(Clone, Debug)]
pub struct ListIntents {
    /// Only intents made at or after this time (whole seconds).
    pub created_from: DateTime<Utc>,
    /// Only intents made before this time (whole seconds).
    pub created_before: Option<DateTime<Utc>>,
    /// The last intent of the page before.
    pub starting_after: Option<String>,
    /// Page size, 1 to 100.
    pub limit: u8,
}

/// One page of a list, newest first.
#[derive(Clone, Debug, Deserialize)]
pub struct Page<T> {
    #[serde(rename = "data")]
    pub items: Vec<T>,
    pub has_more: bool,
}

/// Stripe's `PaymentIntent`: one payment, from its first attempt to its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "IntentFields")]
pub struct Intent {
    pub id: String,
    pub status: IntentStatus,
    /// What was asked for.
    pub amount: Money,
    /// What was charged: zero until the status is [`IntentStatus::Succeeded`].
    pub amount_received: Money,
    /// `None` on an intent that Plumbline did not make.
    pub order_id: Option<OrderId>,
    pub created: DateTime<Utc>,
    pub last_failure: Option<IntentFailure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// New, or its last attempt failed: nothing was charged.
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    /// The bank has not answered yet; a webhook or a later look tells.
    Processing,
    RequiresCapture,
    Canceled,
    /// Charged. Stays so after a refund.
    Succeeded,
    /// A status newer than this client.
    #[serde(other)]
    Unrecognised,
}

/// Why an intent's last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentFailure {
    /// Stripe's decline code where it gives one, else its error code.
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RefundFields")]
pub struct Refund {
    pub id: String,
    /// `None` when the refunded charge was made without an intent, so not by Plumbline.
    pub intent_id: Option<String>,
    pub amount: Money,
    pub status: RefundStatus,
    pub created: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Pending,
    RequiresAction,
    Succeeded,
    Failed,
    Canceled,
    /// A status newer than this client.
    #[serde(other)]
    Unrecognised,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidObject {
    #[error("currency {0:?} is not an ISO 4217 code")]
    Currency(String),
    #[error("{0} is not a Unix time")]
    Time(i64),
}

#[derive(Deserialize)]
struct IntentFields {
    id: String,
    status: IntentStatus,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    created: i64,
    #[serde(default)]
    metadata: HashMap<String, String>,
    last_payment_error: Option<ErrorFields>,
}

#[derive(Deserialize)]
struct RefundFields {
    id: String,
    payment_intent: Option<String>,
    amount: i64,
    currency: String,
    status: RefundStatus,
    created: i64,
}

/// Stripe's error object, as an answer and as an intent's `last_payment_error`.
#[derive(Default, Deserialize)]
pub(crate) struct ErrorFields {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub message: Option<String>,
    pub payment_intent: Option<IntentReference>,
}

#[derive(Deserialize)]
pub(crate) struct IntentReference {
    pub id: String,
}

impl TryFrom<IntentFields> for Intent {
    type Error = InvalidObject;

    fn try_from(fields: IntentFields) -> Result<Self, InvalidObject> {
        let currency = currency(&fields.currency)?;
        Ok(Self {
            id: fields.id,
            status: fields.status,
            amount: Money::new(fields.amount, currency),
            amount_received: Money::new(fields.amount_received, currency),
            order_id: fields
                .metadata
                .get("order_id")
                .and_then(|id| id.parse().ok()),
            created: time(fields.created)?,
            last_failure: fields.last_payment_error.map(IntentFailure::from),
        })
    }
}

impl TryFrom<RefundFields> for Refund {
    type Error = InvalidObject;

    fn try_from(fields: RefundFields) -> Result<Self, InvalidObject> {
        Ok(Self {
            id: fields.id,
            intent_id: fields.payment_intent,
            amount: Money::new(fields.amount, currency(&fields.currency)?),
            status: fields.status,
            created: time(fields.created)?,
        })
    }
}

impl From<ErrorFields> for IntentFailure {
    fn from(fields: ErrorFields) -> Self {
        Self {
            code: fields
                .decline_code
                .or(fields.code)
                .or(fields.kind)
                .unwrap_or_default(),
            message: fields.message.unwrap_or_default(),
        }
    }
}

/// Stripe writes currencies in lower case.
fn currency(code: &str) -> Result<Currency, InvalidObject> {
    Currency::parse(&code.to_ascii_uppercase())
        .map_err(|_| InvalidObject::Currency(code.to_owned()))
}

pub(crate) fn time(seconds: i64) -> Result<DateTime<Utc>, InvalidObject> {
    DateTime::from_timestamp(seconds, 0).ok_or(InvalidObject::Time(seconds))
}
