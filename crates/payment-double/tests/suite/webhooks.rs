//! Delivery: signed, repeated until taken, given up at last.

use chrono::TimeDelta;
use kernel::Clock;
use payment::signature::{self, SignatureError, TOLERANCE};
use payment_double::{RetryPolicy, TestToken};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{Provider, Receiver};

#[tokio::test]
async fn a_webhook_is_sent_until_it_is_taken() {
    let mut receiver = Receiver::answering([500, 404, 302]);
    let provider =
        Provider::start(|config| config.webhook_url = Some(receiver.url.parse().unwrap()));
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();
    let first = receiver.next().await;
    for _ in 0..3 {
        assert_eq!(receiver.next().await.body, first.body);
    }
    // Whatever comes next is another event, because the last attempt was taken.
    let other = provider.intent(TestToken::Visa);
    let other = provider.stripe.create_intent(&other).await.unwrap();
    let event = receiver.next().await.verified(&provider.clock);
    assert_eq!(event.intent_id(), Some(other.id.as_str()));
}

#[tokio::test]
async fn every_attempt_is_signed_anew() {
    let mut receiver = Receiver::answering([500; 1_000]);
    let provider =
        Provider::start(|config| config.webhook_url = Some(receiver.url.parse().unwrap()));
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();
    let first = receiver.next().await;
    provider.clock.advance(TOLERANCE + TimeDelta::seconds(1));
    let later = loop {
        let attempt = receiver.next().await;
        if attempt.signature != first.signature {
            break attempt;
        }
    };
    later.verified(&provider.clock);
    let secrets = [SecretString::from("whsec_double")];
    let now = provider.clock.now();
    assert_eq!(
        signature::verify(&first.signature, &first.body, &secrets, now),
        Err(SignatureError::OutsideTolerance)
    );
}

#[tokio::test]
async fn a_webhook_that_nobody_takes_is_given_up() {
    let mut receiver = Receiver::answering([500, 500]);
    let provider = Provider::start(|config| {
        config.webhook_url = Some(receiver.url.parse().unwrap());
        config.webhook_retry = RetryPolicy {
            attempts: 2,
            ..config.webhook_retry
        };
    });
    let given_up = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&given_up).await.unwrap();
    receiver.next().await;
    receiver.next().await;

    let taken = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&taken).await.unwrap();
    receiver.next().await.verified(&provider.clock);
    // The end of each is written down after its last answer.
    let ended = json!({ "pending": 0, "delivered": 1, "given_up": 1, "dropped": 0 });
    provider
        .until(async || provider.webhook_counts().await == ended)
        .await;
}

#[tokio::test]
async fn a_receiver_that_is_down_does_not_hold_up_payments() {
    let provider = Provider::start(|config| {
        // Nothing listens on the discard port.
        config.webhook_url = Some("http://127.0.0.1:9/webhooks".parse().unwrap());
    });
    for _ in 0..3 {
        let request = provider.intent(TestToken::Visa);
        provider.stripe.create_intent(&request).await.unwrap();
    }
    assert_eq!(provider.webhook_counts().await["pending"], 3);
}
