//! The `Idempotency-Key`, as Stripe documents it
//! (<https://docs.stripe.com/api/idempotent_requests>).

use chrono::TimeDelta;
use kernel::Money;
use payment::{CreateIntent, CreateRefund, IDEMPOTENCY_KEY_LIFETIME, PaymentError};
use payment_double::TestToken;
use tokio::task::JoinSet;

use crate::support::{Provider, SECRET_KEY, refund};

#[tokio::test]
async fn the_same_key_and_parameters_answer_the_same_and_charge_once() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    let first = provider.stripe.create_intent(&request).await.unwrap();
    let retried = CreateIntent {
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ..request.clone()
    };
    let second = provider.stripe.create_intent(&retried).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(provider.charges_of(request.order_id).await.len(), 1);
}

#[tokio::test]
async fn a_processing_answer_stays_so_after_the_payment_settled() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::BankDebit);
    let first = provider.stripe.create_intent(&request).await.unwrap();
    let second = provider.stripe.create_intent(&request).await.unwrap();
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_decline_is_repeated_under_its_key_and_not_under_another() {
    let provider = Provider::start(|_| {});
    let mut request = provider.intent(TestToken::Declined);
    let declined = async |request: &CreateIntent| match provider.stripe.create_intent(request).await
    {
        Err(PaymentError::Declined { intent_id, .. }) => intent_id.unwrap(),
        other => panic!("not declined: {other:?}"),
    };
    let first = declined(&request).await;
    assert_eq!(declined(&request).await, first);
    request.idempotency_key.push_str("-2");
    assert_ne!(declined(&request).await, first);
}

#[tokio::test]
async fn the_same_key_with_other_parameters_is_refused() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();
    let others = [
        CreateIntent {
            amount: Money::new(1251, request.amount.currency),
            ..request.clone()
        },
        CreateIntent {
            payment_method: TestToken::Declined.as_str().to_owned(),
            ..request.clone()
        },
        CreateIntent {
            order_id: provider.intent(TestToken::Visa).order_id,
            ..request.clone()
        },
    ];
    for other in others {
        let refused = provider.stripe.create_intent(&other).await.unwrap_err();
        assert!(matches!(refused, PaymentError::Rejected(_)), "{refused:?}");
        assert_eq!(refused.code(), Some("idempotency_error"));
    }
    let ledger = provider.get("/double/ledger").await;
    assert_eq!(ledger["intents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_kind_of_call() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    let intent = provider.stripe.create_intent(&request).await.unwrap();
    let reused = CreateRefund {
        idempotency_key: request.idempotency_key,
        ..refund(&intent.id)
    };
    let refused = provider.stripe.refund(&reused).await.unwrap_err();
    assert_eq!(refused.code(), Some("idempotency_error"));
}

#[tokio::test]
async fn twenty_calls_at_once_with_one_key_charge_once() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (stripe, request) = (provider.stripe.clone(), request.clone());
        calls.spawn(async move { stripe.create_intent(&request).await.unwrap().id });
    }
    let mut ids = calls.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(provider.charges_of(request.order_id).await.len(), 1);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let provider = Provider::start(|_| {});
    let mut request = provider.intent(TestToken::Visa);
    request.payment_method = "pm_unknown".to_owned();
    let refused = provider.stripe.create_intent(&request).await.unwrap_err();
    assert_eq!(refused.code(), Some("resource_missing"));
    request.payment_method = TestToken::Visa.as_str().to_owned();
    provider.stripe.create_intent(&request).await.unwrap();
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    let first = provider.stripe.create_intent(&request).await.unwrap();
    provider
        .clock
        .advance(IDEMPOTENCY_KEY_LIFETIME - TimeDelta::seconds(1));
    let replayed = provider.stripe.create_intent(&request).await.unwrap();
    assert_eq!(replayed.id, first.id);
    // Why an attempt older than that is looked up and not repeated.
    provider.clock.advance(TimeDelta::seconds(2));
    let charged_again = provider.stripe.create_intent(&request).await.unwrap();
    assert_ne!(charged_again.id, first.id);
}

#[tokio::test]
async fn a_replay_says_that_it_is_one_and_a_call_without_a_key_never_is() {
    let provider = Provider::start(|_| {});
    let charge = async |key: Option<&str>| {
        let url = format!("{}/v1/payment_intents", provider.base_url);
        let mut request = provider.http.post(url).bearer_auth(SECRET_KEY).form(&[
            ("amount", "100"),
            ("currency", "eur"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
        ]);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers().contains_key("Idempotent-Replayed")
    };
    assert!(!charge(Some("k")).await);
    assert!(charge(Some("k")).await);
    assert!(!charge(None).await);
    assert!(!charge(None).await);
    let ledger = provider.get("/double/ledger").await;
    assert_eq!(ledger["intents"].as_array().unwrap().len(), 3);
}
