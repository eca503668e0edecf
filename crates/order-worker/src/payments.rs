//! The payment provider's answers in the words of the ordering context.

use chrono::TimeDelta;
use fail_points::FailPoint;
use kernel::OrderId;
use orders::{Charge, ChargeInDoubt, ChargeOutcome};
use payment::{
    CreateIntent, Failure, IDEMPOTENCY_KEY_LIFETIME, Intent, IntentStatus, ListIntents,
    PaymentError, Stripe,
};
use tracing::Instrument;

/// How far the provider's clock and ours may be apart.
pub(crate) const CLOCK_SKEW: TimeDelta = TimeDelta::hours(1);
/// After this time no call is under way that was begun before: the client gives each ten seconds.
const CALLS_ARE_OVER: TimeDelta = TimeDelta::seconds(30);
/// The provider's books are searched this far back for one payment ...
const SEARCHED_PAGES: usize = 100;
/// ... in pages of this size, the provider's largest.
const PAGE_SIZE: u8 = 100;

/// Asks for the money, or what became of it if it was asked for before. Calling it again with the
/// same charge can't take it twice.
pub(crate) async fn charge(
    provider: &Stripe,
    charge: &Charge,
) -> Result<ChargeOutcome, PaymentError> {
    let span =
        tracing::info_span!("payment.charge", otel.kind = "client", order_id = %charge.order_id);
    let outcome = async {
        if let Some(intent_id) = &charge.intent_id {
            Ok(outcome(retrieve(provider, intent_id).await?))
        } else if charge.age + CLOCK_SKEW < IDEMPOTENCY_KEY_LIFETIME {
            create(provider, charge).await
        } else {
            match search(provider, charge).await? {
                Found::Intent(intent) => Ok(outcome(intent)),
                Found::Nothing => create(provider, charge).await,
                Found::TooMuch => Ok(ChargeOutcome::Unknown),
            }
        }
    }
    .instrument(span)
    .await;
    fail_points::reached(FailPoint::AfterChargeBeforeCommit);
    outcome
}

/// What became of a charge whose order was taken back. It is not made for that: what can't be found
/// in the provider's books never was, or is found by a webhook or the reconciliation and given back.
pub(crate) async fn find_out(
    provider: &Stripe,
    doubt: &ChargeInDoubt,
) -> Result<ChargeOutcome, PaymentError> {
    let ChargeInDoubt { charge, waited } = doubt;
    let span =
        tracing::info_span!("payment.find_out", otel.kind = "client", order_id = %charge.order_id);
    async {
        if let Some(intent_id) = &charge.intent_id {
            return Ok(outcome(retrieve(provider, intent_id).await?));
        }
        match search(provider, charge).await? {
            Found::Intent(intent) => Ok(outcome(intent)),
            Found::Nothing if *waited >= CALLS_ARE_OVER => {
                Ok(ChargeOutcome::Declined { intent_id: None })
            }
            Found::Nothing => Ok(ChargeOutcome::Unknown),
            // The same call again has the one definite answer.
            Found::TooMuch if charge.age + CLOCK_SKEW < IDEMPOTENCY_KEY_LIFETIME => {
                create(provider, charge).await
            }
            Found::TooMuch => Ok(ChargeOutcome::Unknown),
        }
    }
    .instrument(span)
    .await
}

/// What became of an intent, and of which order it is; `None` for an intent that is not ours.
pub(crate) async fn enquire(
    provider: &Stripe,
    intent_id: &str,
) -> Result<Option<(OrderId, ChargeOutcome)>, PaymentError> {
    match retrieve(provider, intent_id).await {
        Ok(intent) => Ok(intent.order_id.map(|order_id| (order_id, outcome(intent)))),
        Err(PaymentError::Rejected(Failure::Status { status: 404, .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn create(provider: &Stripe, charge: &Charge) -> Result<ChargeOutcome, PaymentError> {
    let request = CreateIntent {
        amount: charge.amount,
        payment_method: charge.payment_method.clone(),
        order_id: charge.order_id,
        idempotency_key: charge.attempt_id.to_string(),
        traceparent: trace_context::current_traceparent(),
    };
    match provider.create_intent(&request).await {
        Ok(intent) => Ok(outcome(intent)),
        Err(PaymentError::Declined { intent_id, .. }) => Ok(ChargeOutcome::Declined { intent_id }),
        Err(PaymentError::Rejected(failure)) if is_about_the_order(&failure) => {
            tracing::warn!(%failure, "the provider will never take this payment");
            Ok(ChargeOutcome::Declined { intent_id: None })
        }
        Err(error) => Err(error),
    }
}

async fn retrieve(provider: &Stripe, intent_id: &str) -> Result<Intent, PaymentError> {
    let traceparent = trace_context::current_traceparent();
    provider
        .retrieve_intent(intent_id, traceparent.as_deref())
        .await
}

enum Found {
    Intent(Intent),
    Nothing,
    /// The books are too long to tell.
    TooMuch,
}

/// Looks through the provider's books: the idempotency key may be forgotten there, and the same
/// call would be a second charge.
async fn search(provider: &Stripe, charge: &Charge) -> Result<Found, PaymentError> {
    let mut list = ListIntents {
        created_from: charge.started_at - CLOCK_SKEW,
        created_before: None,
        starting_after: None,
        limit: PAGE_SIZE,
    };
    for _ in 0..SEARCHED_PAGES {
        let page = provider.list_intents(&list).await?;
        list.starting_after = page.items.last().map(|intent| intent.id.clone());
        let mut intents = page.items.into_iter();
        if let Some(intent) = intents.find(|intent| intent.order_id == Some(charge.order_id)) {
            return Ok(Found::Intent(intent));
        }
        if !page.has_more {
            return Ok(Found::Nothing);
        }
    }
    Ok(Found::TooMuch)
}

fn outcome(intent: Intent) -> ChargeOutcome {
    match intent.status {
        IntentStatus::Succeeded => ChargeOutcome::Succeeded {
            intent_id: intent.id,
            amount: intent.amount_received,
        },
        // Without a failure it is new: the call that made it may be about to charge.
        IntentStatus::RequiresPaymentMethod if intent.last_failure.is_none() => {
            ChargeOutcome::Processing {
                intent_id: intent.id,
            }
        }
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

/// Whether the customer's token or the amount is what is wrong, and not our key or our request
/// (<https://docs.stripe.com/error-codes>).
fn is_about_the_order(failure: &Failure) -> bool {
    match failure {
        Failure::Status {
            status: 400 | 404,
            code: Some(code),
            ..
        } => matches!(
            code.as_str(),
            "resource_missing" | "amount_too_small" | "amount_too_large"
        ),
        _ => false,
    }
}
