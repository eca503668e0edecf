//! The same misbehaviour by switch, for any token.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use payment::{IntentStatus, PaymentError};
use payment_double::{Behaviour, InvalidBehaviour, TestToken};
use serde_json::json;

use crate::support::{Provider, Receiver};

fn with_receiver(receiver: &Receiver) -> Provider {
    Provider::start(|config| config.webhook_url = Some(receiver.url.parse().unwrap()))
}

#[tokio::test]
async fn the_next_calls_fail_before_they_charge() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);

    provider.behave(json!({ "fail_next": 1 })).await;
    let failed = provider.stripe.create_intent(&request).await;
    assert!(
        matches!(failed, Err(PaymentError::Unknown(_))),
        "{failed:?}"
    );

    provider
        .behave(json!({ "fail_next": 1, "fail_status": 429 }))
        .await;
    let failed = provider.stripe.create_intent(&request).await;
    assert!(
        matches!(failed, Err(PaymentError::Unavailable(_))),
        "{failed:?}"
    );
    assert!(provider.charges_of(request.order_id).await.is_empty());

    let charged = provider.stripe.create_intent(&request).await.unwrap();
    assert_eq!(charged.status, IntentStatus::Succeeded);
}

#[tokio::test]
async fn the_next_charges_are_made_and_time_out() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    provider.behave(json!({ "time_out_next": 1 })).await;
    provider.charge_and_hang_up(&request).await;

    provider.stripe.create_intent(&request).await.unwrap();
    assert_eq!(provider.charges_of(request.order_id).await.len(), 1);
}

#[tokio::test]
async fn a_held_back_answer_comes_after_its_effect() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Visa);
    provider.behave(json!({ "answer_delay_ms": 60_000 })).await;
    provider.charge_and_hang_up(&request).await;
}

#[tokio::test]
async fn the_next_webhooks_are_dropped() {
    let mut receiver = Receiver::start();
    let provider = with_receiver(&receiver);
    provider
        .behave(json!({ "webhooks": { "drop_next": 1 } }))
        .await;
    let dropped = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&dropped).await.unwrap();
    let sent = provider.intent(TestToken::Visa);
    let sent = provider.stripe.create_intent(&sent).await.unwrap();

    let event = receiver.next().await.verified(&provider.clock);
    assert_eq!(event.intent_id(), Some(sent.id.as_str()));
    assert_eq!(provider.webhook_counts().await["dropped"], 1);
}

#[tokio::test]
async fn webhooks_are_sent_in_copies() {
    let mut receiver = Receiver::start();
    let provider = with_receiver(&receiver);
    provider
        .behave(json!({ "webhooks": { "copies": 3 } }))
        .await;
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();

    let mut ids = HashSet::new();
    for _ in 0..3 {
        ids.insert(receiver.next().await.verified(&provider.clock).id);
    }
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn webhooks_are_delayed() {
    let delay = Duration::from_millis(200);
    let mut receiver = Receiver::start();
    let provider = with_receiver(&receiver);
    provider
        .behave(json!({ "webhooks": { "delay_ms": 200 } }))
        .await;
    let request = provider.intent(TestToken::Visa);
    let started = Instant::now();
    provider.stripe.create_intent(&request).await.unwrap();
    receiver.next().await.verified(&provider.clock);
    assert!(started.elapsed() >= delay);
}

#[tokio::test]
async fn webhooks_are_sent_newest_first() {
    let mut receiver = Receiver::start();
    let provider = with_receiver(&receiver);
    provider
        .behave(json!({ "webhooks": { "reorder": 3 } }))
        .await;
    let mut charged = Vec::new();
    for _ in 0..3 {
        let request = provider.intent(TestToken::Visa);
        charged.push(provider.stripe.create_intent(&request).await.unwrap().id);
    }
    for expected in charged.iter().rev() {
        let event = receiver.next().await.verified(&provider.clock);
        assert_eq!(event.intent_id(), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn a_group_to_reorder_that_does_not_fill_is_sent_all_the_same() {
    let mut receiver = Receiver::start();
    let provider = with_receiver(&receiver);
    provider
        .behave(json!({ "webhooks": { "reorder": 100 } }))
        .await;
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();
    receiver.next().await.verified(&provider.clock);
}

#[tokio::test]
async fn an_empty_object_ends_the_misbehaviour() {
    let provider = Provider::start(|_| {});
    provider.behave(json!({ "fail_next": 1_000 })).await;
    provider.behave(json!({})).await;
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();
    let behaviour: Behaviour =
        serde_json::from_value(provider.get("/double/behaviour").await).unwrap();
    assert_eq!(behaviour, Behaviour::default());
}

#[tokio::test]
async fn an_impossible_behaviour_is_refused_and_changes_nothing() {
    let provider = Provider::start(|_| {});
    for impossible in [
        json!({ "fail_status": 200 }),
        json!({ "fail_status": 600 }),
        json!({ "fail_next": -1 }),
        json!({ "answer_delay_ms": 60_001 }),
        json!({ "webhooks": { "delay_ms": 60_001 } }),
        json!({ "webhooks": { "copies": 0 } }),
        json!({ "webhooks": { "copies": 11 } }),
        json!({ "webhooks": { "reorder": 0 } }),
        json!({ "webhooks": { "reorder": 101 } }),
        json!({ "webhooks": { "loose": 1 } }),
        json!({ "fail": 1 }),
        json!("off"),
    ] {
        let answer = provider.post_behaviour(&impossible).await;
        assert_eq!(answer.status(), 400, "{impossible}");
    }
    let running = provider.running.as_ref().unwrap();
    let behaviour = Behaviour {
        fail_status: 302,
        ..Behaviour::default()
    };
    assert_eq!(
        running.set_behaviour(behaviour),
        Err(InvalidBehaviour::FailStatus)
    );
    let request = provider.intent(TestToken::Visa);
    provider.stripe.create_intent(&request).await.unwrap();
}
