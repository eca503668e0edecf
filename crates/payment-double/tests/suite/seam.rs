//! What the shop relies on, of the double and of Stripe alike: the same tests run against both. Stripe
//! is asked only where `PLUMBLINE_TEST_STRIPE_KEY` holds a key of its test mode.

use chrono::TimeDelta;
use kernel::{Clock, Currency, Money, OrderId, SystemClock};
use payment::{
    CreateIntent, IntentStatus, ListIntents, PaymentError, RefundStatus, Stripe, StripeConfig,
};
use payment_double::TestToken;
use secrecy::SecretString;
use uuid::Uuid;

use crate::support::{Provider, refund};

/// Runs the test against the double, and against Stripe if there is a key.
async fn on_each_provider(test: impl AsyncFn(&Stripe)) {
    eprintln!("the double");
    let provider = Provider::start(|_| {});
    test(&provider.stripe).await;
    match std::env::var("PLUMBLINE_TEST_STRIPE_KEY") {
        Ok(key) if key.starts_with("sk_test_") => {
            eprintln!("Stripe");
            let address = "https://api.stripe.com".parse().unwrap();
            test(&Stripe::new(StripeConfig::new(address, SecretString::from(key))).unwrap()).await;
        }
        Ok(_) => panic!("PLUMBLINE_TEST_STRIPE_KEY is no key of Stripe's test mode"),
        Err(_) => eprintln!("LEFT OUT: Stripe itself: set PLUMBLINE_TEST_STRIPE_KEY"),
    }
}

fn intent(token: TestToken) -> CreateIntent {
    CreateIntent {
        amount: Money::new(1_250, Currency::EUR),
        payment_method: token.as_str().to_owned(),
        order_id: OrderId::generate(SystemClock.now()),
        idempotency_key: Uuid::new_v4().to_string(),
        traceparent: None,
    }
}

#[tokio::test]
async fn a_charge_is_made_once_however_often_its_call_is_repeated() {
    on_each_provider(async |stripe| {
        let request = intent(TestToken::Visa);
        let made = stripe.create_intent(&request).await.unwrap();
        assert_eq!(made.status, IntentStatus::Succeeded);
        assert_eq!(made.amount_received, request.amount);
        assert_eq!(made.order_id, Some(request.order_id));
        for _ in 0..2 {
            let again = stripe.create_intent(&request).await.unwrap();
            assert_eq!(again.id, made.id);
        }
        let retrieved = stripe.retrieve_intent(&made.id, None).await.unwrap();
        assert_eq!(retrieved, made);
        let list = ListIntents {
            created_from: made.created - TimeDelta::seconds(1),
            created_before: None,
            starting_after: None,
            limit: 100,
        };
        let listed = stripe.list_intents(&list).await.unwrap();
        let of_order = listed.items.iter();
        let of_order = of_order.filter(|listed| listed.order_id == Some(request.order_id));
        assert_eq!(of_order.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    on_each_provider(async |stripe| {
        let request = intent(TestToken::Visa);
        stripe.create_intent(&request).await.unwrap();
        let other = CreateIntent {
            amount: Money::new(1, Currency::EUR),
            ..request
        };
        let refused = stripe.create_intent(&other).await.unwrap_err();
        assert!(matches!(refused, PaymentError::Rejected(_)), "{refused:?}");
        assert_eq!(refused.code(), Some("idempotency_error"));
    })
    .await;
}

#[tokio::test]
async fn a_decline_is_definite_and_repeats_itself() {
    on_each_provider(async |stripe| {
        let request = intent(TestToken::InsufficientFunds);
        for _ in 0..2 {
            let declined = stripe.create_intent(&request).await.unwrap_err();
            assert!(
                matches!(declined, PaymentError::Declined { .. }),
                "{declined:?}"
            );
            assert_eq!(declined.code(), Some("insufficient_funds"));
        }
    })
    .await;
}

#[tokio::test]
async fn money_goes_back_once() {
    on_each_provider(async |stripe| {
        let made = stripe
            .create_intent(&intent(TestToken::Visa))
            .await
            .unwrap();
        let request = refund(&made.id);
        let given_back = stripe.refund(&request).await.unwrap();
        assert_eq!(given_back.status, RefundStatus::Succeeded);
        assert_eq!(given_back.amount, made.amount_received);
        assert_eq!(stripe.refund(&request).await.unwrap().id, given_back.id);
        let again = stripe.refund(&refund(&made.id)).await.unwrap_err();
        assert_eq!(again.code(), Some("charge_already_refunded"));
        let listed = stripe.list_refunds(&made.id).await.unwrap();
        assert_eq!(listed.items.len(), 1);
        let kept = stripe.retrieve_intent(&made.id, None).await.unwrap();
        assert_eq!(kept.status, IntentStatus::Succeeded, "it stays so");
    })
    .await;
}

#[tokio::test]
async fn what_there_is_not_is_missing() {
    on_each_provider(async |stripe| {
        let nobodys = "pi_there_is_none";
        for missing in [
            stripe.retrieve_intent(nobodys, None).await.unwrap_err(),
            stripe.refund(&refund(nobodys)).await.unwrap_err(),
        ] {
            assert!(matches!(missing, PaymentError::Rejected(_)), "{missing:?}");
            assert_eq!(missing.code(), Some("resource_missing"));
        }
    })
    .await;
}
