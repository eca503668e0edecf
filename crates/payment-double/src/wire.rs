//! Stripe's JSON objects, as far as Plumbline reads them.
//! Source: <https://docs.stripe.com/api/payment_intents/object> and its neighbours.

use serde_json::{Value, json};

use crate::ledger::{Intent, IntentStatus, Refund};

pub(crate) fn intent(intent: &Intent) -> Value {
    json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_received": match intent.status {
            IntentStatus::Succeeded => intent.amount,
            IntentStatus::Processing | IntentStatus::RequiresPaymentMethod => 0,
        },
        "created": intent.created,
        "currency": intent.currency,
        "last_payment_error": intent.failure.as_ref().map(|failure| json!({
            "type": "card_error",
            "code": failure.code,
            "decline_code": failure.decline_code,
            "message": failure.message,
        })),
        "livemode": false,
        "metadata": intent.metadata,
        "payment_method": intent.payment_method,
        "status": intent.status,
    })
}

pub(crate) fn refund(intent: &Intent, refund: &Refund) -> Value {
    json!({
        "id": refund.id,
        "object": "refund",
        "amount": intent.amount,
        "created": refund.created,
        "currency": intent.currency,
        "payment_intent": intent.id,
        "status": refund.status,
    })
}

pub(crate) fn list(url: &str, data: &[Value], has_more: bool) -> Value {
    json!({ "object": "list", "url": url, "data": data, "has_more": has_more })
}

pub(crate) fn event(id: &str, event_type: &str, created: i64, object: &Value) -> Value {
    json!({
        "id": id,
        "object": "event",
        "api_version": payment::API_VERSION,
        "created": created,
        "data": { "object": object },
        "livemode": false,
        "type": event_type,
    })
}

/// A refused attempt, as an answer with status 402.
pub(crate) fn declined(declined: &Intent) -> Value {
    let failure = declined.failure.as_ref();
    json!({ "error": {
        "type": "card_error",
        "code": failure.map(|failure| &failure.code),
        "decline_code": failure.and_then(|failure| failure.decline_code.as_ref()),
        "message": failure.map(|failure| &failure.message),
        "payment_intent": intent(declined),
    }})
}
