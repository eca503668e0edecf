//! The payment provider's refunds in the words of the ordering context.

use orders::{Refund, RefundOutcome};
use payment::{CreateRefund, IDEMPOTENCY_KEY_LIFETIME, PaymentError, RefundStatus, Stripe};
use tracing::Instrument;

use crate::payments::CLOCK_SKEW;

/// How Stripe says that there is nothing left to give back.
const ALREADY_REFUNDED: &str = "charge_already_refunded";

/// Asks for the money to be given back, or what became of it if that was asked for before. Calling
/// it again with the same refund can't give it back twice: the provider gives back no more than
/// it took.
pub(crate) async fn refund(
    provider: &Stripe,
    refund: &Refund,
) -> Result<RefundOutcome, PaymentError> {
    let span =
        tracing::info_span!("payment.refund", otel.kind = "client", order_id = %refund.order_id);
    async {
        let is_asked_for = refund.provider_refund_id.is_some()
            || refund.age + CLOCK_SKEW >= IDEMPOTENCY_KEY_LIFETIME;
        if is_asked_for && let Some(made) = find(provider, refund).await? {
            return Ok(outcome(made));
        }
        match create(provider, refund).await {
            Err(error) if error.code() == Some(ALREADY_REFUNDED) => {
                // By a call whose answer was lost, or by hand at the provider.
                let made = find(provider, refund).await?;
                made.map(outcome).ok_or(error)
            }
            created => created.map(outcome),
        }
    }
    .instrument(span)
    .await
}

async fn create(provider: &Stripe, refund: &Refund) -> Result<payment::Refund, PaymentError> {
    let request = CreateRefund {
        intent_id: refund.intent_id.clone(),
        idempotency_key: refund.id.to_string(),
        traceparent: trace_context::current_traceparent(),
    };
    provider.refund(&request).await
}

/// The refund as the provider has it now: the one that it has named, or else the newest that has
/// not failed.
async fn find(provider: &Stripe, refund: &Refund) -> Result<Option<payment::Refund>, PaymentError> {
    let page = provider.list_refunds(&refund.intent_id).await?;
    let mut made = page.items.into_iter();
    Ok(match &refund.provider_refund_id {
        Some(id) => made.find(|made| made.id == *id),
        None => {
            made.find(|made| !matches!(made.status, RefundStatus::Failed | RefundStatus::Canceled))
        }
    })
}

fn outcome(made: payment::Refund) -> RefundOutcome {
    let provider_refund_id = made.id;
    match made.status {
        RefundStatus::Succeeded => RefundOutcome::Succeeded {
            provider_refund_id,
            amount: made.amount,
        },
        RefundStatus::Failed | RefundStatus::Canceled => {
            RefundOutcome::Failed { provider_refund_id }
        }
        RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Unrecognised => {
            RefundOutcome::Pending { provider_refund_id }
        }
    }
}
