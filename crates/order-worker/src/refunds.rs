//! The payment provider's refunds in the words of the ordering context.

use kernel::Money;
use orders::{Refund, RefundOutcome};
use payment::{
    CreateRefund, Failure, IDEMPOTENCY_KEY_LIFETIME, PaymentError, RefundStatus, Stripe,
};
use service_kit::problem::chain;
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
            return Ok(made);
        }
        match create(provider, refund).await {
            Err(error) if error.code() == Some(ALREADY_REFUNDED) => {
                // By a call whose answer was lost, or by hand at the provider.
                find(provider, refund).await?.ok_or(error)
            }
            Err(PaymentError::Rejected(failure)) if is_about_the_refund(&failure) => {
                Ok(RefundOutcome::Failed {
                    provider_refund_id: None,
                    reason: chain(&failure),
                })
            }
            Err(error) => Err(error),
            Ok(made) if made.amount == refund.amount => Ok(outcome(made)),
            // Some of it was given back by hand, and this is the rest.
            Ok(made) => Ok(find(provider, refund)
                .await?
                .unwrap_or_else(|| outcome(made))),
        }
    }
    .instrument(span)
    .await
}

/// What became of a refund, without asking for it. `None`: the provider knows of none.
pub(crate) async fn enquire(
    provider: &Stripe,
    refund: &Refund,
) -> Result<Option<RefundOutcome>, PaymentError> {
    let span =
        tracing::info_span!("payment.enquire", otel.kind = "client", order_id = %refund.order_id);
    find(provider, refund).instrument(span).await
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
/// not failed. What was given back in several parts counts as a whole.
async fn find(provider: &Stripe, refund: &Refund) -> Result<Option<RefundOutcome>, PaymentError> {
    let page = provider.list_refunds(&refund.intent_id).await?;
    let succeeded = page
        .items
        .iter()
        .filter(|made| made.status == RefundStatus::Succeeded);
    let given_back: i64 = succeeded.map(|made| made.amount.amount).sum();
    let mut made = page.items.into_iter();
    let made = match &refund.provider_refund_id {
        Some(id) => made.find(|made| made.id == *id),
        None => {
            made.find(|made| !matches!(made.status, RefundStatus::Failed | RefundStatus::Canceled))
        }
    };
    Ok(made.map(|mut made| {
        if made.status == RefundStatus::Succeeded {
            made.amount = Money::new(given_back, made.amount.currency);
        }
        outcome(made)
    }))
}

fn outcome(made: payment::Refund) -> RefundOutcome {
    let provider_refund_id = made.id;
    match made.status {
        RefundStatus::Succeeded => RefundOutcome::Succeeded {
            provider_refund_id,
            amount: made.amount,
        },
        RefundStatus::Failed | RefundStatus::Canceled => RefundOutcome::Failed {
            provider_refund_id: Some(provider_refund_id),
            reason: "it did not reach the customer".to_owned(),
        },
        RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Unrecognised => {
            RefundOutcome::Pending { provider_refund_id }
        }
    }
}

/// Whether the payment is what can't be given back, and not our key or our permission wrong
/// (<https://docs.stripe.com/api/errors>).
fn is_about_the_refund(failure: &Failure) -> bool {
    match failure {
        Failure::Status { status, .. } => matches!(status, 400 | 402 | 404),
        Failure::Transport(_) | Failure::TooLarge { .. } | Failure::Unreadable(_) => false,
    }
}
