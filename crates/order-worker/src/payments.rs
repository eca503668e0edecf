//! The payment provider's answers in the words of the ordering context.

use kernel::OrderId;
use orders::{Charge, ChargeOutcome};
use payment::{CreateIntent, Failure, Intent, IntentStatus, PaymentError, Stripe};
use tracing::Instrument;

/// Asks for the money. Calling it again with the same charge can't take it twice.
pub(crate) async fn charge(
    provider: &Stripe,
    charge: &Charge,
) -> Result<ChargeOutcome, PaymentError> {
    let span =
        tracing::info_span!("payment.charge", otel.kind = "client", order_id = %charge.order_id);
    let request = CreateIntent {
        amount: charge.amount,
        payment_method: charge.payment_method.clone(),
        order_id: charge.order_id,
        idempotency_key: charge.attempt_id.to_string(),
        traceparent: span.in_scope(trace_context::current_traceparent),
    };
    match provider.create_intent(&request).instrument(span).await {
        Ok(intent) => Ok(outcome(intent)),
        Err(PaymentError::Declined { intent_id, .. }) => Ok(ChargeOutcome::Declined { intent_id }),
        Err(PaymentError::Rejected(failure)) if is_about_the_card(&failure) => {
            tracing::warn!(%failure, "the provider knows no such payment method");
            Ok(ChargeOutcome::Declined { intent_id: None })
        }
        Err(error) => Err(error),
    }
}

/// What became of an intent, and of which order it is; `None` for an intent that is not ours.
pub(crate) async fn enquire(
    provider: &Stripe,
    intent_id: &str,
) -> Result<Option<(OrderId, ChargeOutcome)>, PaymentError> {
    let traceparent = trace_context::current_traceparent();
    match provider
        .retrieve_intent(intent_id, traceparent.as_deref())
        .await
    {
        Ok(intent) => Ok(intent.order_id.map(|order_id| (order_id, outcome(intent)))),
        Err(PaymentError::Rejected(Failure::Status { status: 404, .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

fn outcome(intent: Intent) -> ChargeOutcome {
    match intent.status {
        IntentStatus::Succeeded => ChargeOutcome::Succeeded {
            intent_id: intent.id,
            amount: intent.amount_received,
        },
        IntentStatus::RequiresPaymentMethod | IntentStatus::Canceled => ChargeOutcome::Declined {
            intent_id: Some(intent.id),
        },
        IntentStatus::Processing
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::Unrecognised => ChargeOutcome::Processing {
            intent_id: intent.id,
        },
    }
}

/// Whether the customer's token is what is wrong, and not our key or our request.
fn is_about_the_card(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Status { status: 400 | 404, code: Some(code), .. } if code == "resource_missing"
    )
}
