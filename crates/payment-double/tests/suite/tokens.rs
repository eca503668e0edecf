//! What each test token does, seen through the client, the webhook and the provider's ledger.

use std::time::{Duration, Instant};

use payment::{CreateIntent, Intent, IntentStatus, PaymentError, WebhookEvent};
use payment_double::TestToken;
use serde_json::json;

use crate::support::{Provider, Receiver};

struct Charged {
    provider: Provider,
    receiver: Receiver,
    request: CreateIntent,
    result: Result<Intent, PaymentError>,
}

impl Charged {
    async fn with(token: TestToken) -> Self {
        let receiver = Receiver::start();
        let provider =
            Provider::start(|config| config.webhook_url = Some(receiver.url.parse().unwrap()));
        let request = provider.intent(token);
        let result = provider.stripe.create_intent(&request).await;
        Self {
            provider,
            receiver,
            request,
            result,
        }
    }

    async fn next_event(&mut self) -> WebhookEvent {
        self.receiver.next().await.verified(&self.provider.clock)
    }

    async fn retrieve(&self, intent_id: &str) -> Intent {
        let intent = self.provider.stripe.retrieve_intent(intent_id, None).await;
        intent.unwrap()
    }

    async fn charges(&self) -> usize {
        self.provider.charges_of(self.request.order_id).await.len()
    }
}

#[tokio::test]
async fn visa_is_charged_at_once_and_a_webhook_says_so() {
    let mut charged = Charged::with(TestToken::Visa).await;
    let intent = charged.result.as_ref().unwrap().clone();
    assert_eq!(intent.status, IntentStatus::Succeeded);
    assert_eq!(intent.amount, charged.request.amount);
    assert_eq!(intent.amount_received, charged.request.amount);
    assert_eq!(intent.order_id, Some(charged.request.order_id));
    assert_eq!(charged.retrieve(&intent.id).await, intent);

    let event = charged.next_event().await;
    assert_eq!(event.event_type, "payment_intent.succeeded");
    assert_eq!(event.intent_id(), Some(intent.id.as_str()));
}

#[tokio::test]
async fn a_declined_card_charges_nothing() {
    for (token, expected) in [
        (TestToken::Declined, "generic_decline"),
        (TestToken::InsufficientFunds, "insufficient_funds"),
    ] {
        let mut charged = Charged::with(token).await;
        let Err(PaymentError::Declined {
            code, intent_id, ..
        }) = &charged.result
        else {
            panic!("not declined: {:?}", charged.result)
        };
        assert_eq!(code, expected);

        let intent = charged.retrieve(intent_id.as_ref().unwrap()).await;
        assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
        assert_eq!(intent.amount_received.amount, 0);
        assert_eq!(intent.last_failure.unwrap().code, expected);
        let event = charged.next_event().await;
        assert_eq!(event.event_type, "payment_intent.payment_failed");
    }
}

#[tokio::test]
async fn of_a_bank_debit_only_the_webhook_tells_the_outcome() {
    for (token, event_type, status) in [
        (
            TestToken::BankDebit,
            "payment_intent.succeeded",
            IntentStatus::Succeeded,
        ),
        (
            TestToken::BankAccountClosed,
            "payment_intent.payment_failed",
            IntentStatus::RequiresPaymentMethod,
        ),
    ] {
        let mut charged = Charged::with(token).await;
        let intent = charged.result.as_ref().unwrap();
        assert_eq!(intent.status, IntentStatus::Processing);
        assert_eq!(intent.amount_received.amount, 0);
        let intent_id = intent.id.clone();

        let mut types = [
            charged.next_event().await.event_type,
            charged.next_event().await.event_type,
        ];
        types.sort_unstable_by_key(|name| name == event_type);
        assert_eq!(types, ["payment_intent.processing", event_type]);
        assert_eq!(charged.retrieve(&intent_id).await.status, status);
    }
}

#[tokio::test]
async fn after_a_timeout_the_same_key_tells_what_was_charged() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::TimeoutAfterCharge);
    let unknown = provider.impatient().create_intent(&request).await;
    assert!(
        matches!(unknown, Err(PaymentError::Unknown(_))),
        "{unknown:?}"
    );
    let repeated = provider.stripe.create_intent(&request).await;
    assert_eq!(repeated.unwrap().status, IntentStatus::Succeeded);
    assert_eq!(provider.charges_of(request.order_id).await.len(), 1);
}

#[tokio::test]
async fn a_server_error_is_unknown_though_nothing_was_charged() {
    let charged = Charged::with(TestToken::ServerError).await;
    assert!(matches!(charged.result, Err(PaymentError::Unknown(_))));
    assert_eq!(charged.charges().await, 0);
}

#[tokio::test]
async fn a_dropped_webhook_is_never_sent() {
    let charged = Charged::with(TestToken::WebhookDropped).await;
    assert_eq!(
        charged.result.as_ref().unwrap().status,
        IntentStatus::Succeeded
    );
    assert_eq!(
        charged.provider.webhook_counts().await,
        json!({ "pending": 0, "delivered": 0, "given_up": 0, "dropped": 1 })
    );
}

#[tokio::test]
async fn a_duplicated_webhook_has_the_same_id_twice() {
    let mut charged = Charged::with(TestToken::WebhookDuplicated).await;
    let first = charged.next_event().await;
    assert_eq!(charged.next_event().await, first);
}

#[tokio::test]
async fn a_delayed_webhook_comes_two_seconds_later() {
    let started = Instant::now();
    let mut charged = Charged::with(TestToken::WebhookDelayed).await;
    charged.next_event().await;
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[test]
fn every_token_parses_back() {
    for token in TestToken::ALL {
        assert_eq!(TestToken::parse(token.as_str()), Some(token));
    }
    assert_eq!(TestToken::parse("pm_card_amex"), None);
}
