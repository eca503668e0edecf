//! What may become of a refund, by token and by switch.

use payment::{Refund, RefundStatus};
use payment_double::TestToken;
use serde_json::json;

use crate::support::{Provider, Receiver, refund};

/// A charge that was made with this token, and the webhook about it taken.
async fn charged(provider: &Provider, receiver: &mut Receiver, token: TestToken) -> String {
    let request = provider.intent(token);
    let intent = provider.stripe.create_intent(&request).await.unwrap();
    receiver.next().await;
    intent.id
}

async fn listed(provider: &Provider, intent_id: &str) -> Vec<Refund> {
    let page = provider.stripe.list_refunds(intent_id).await;
    page.unwrap().items
}

fn start(receiver: &Receiver) -> Provider {
    Provider::start(|config| config.webhook_url = Some(receiver.url.parse().unwrap()))
}

/// The types of the refund's two events, whichever comes first.
async fn events(provider: &Provider, receiver: &mut Receiver) -> [String; 2] {
    let mut types = [
        receiver.next().await.verified(&provider.clock).event_type,
        receiver.next().await.verified(&provider.clock).event_type,
    ];
    types.sort();
    types
}

#[tokio::test]
async fn a_token_tells_what_becomes_of_the_refund() {
    for (token, first, last, event_type) in [
        (
            TestToken::RefundFails,
            RefundStatus::Succeeded,
            RefundStatus::Failed,
            "refund.failed",
        ),
        (
            TestToken::RefundPending,
            RefundStatus::Pending,
            RefundStatus::Succeeded,
            "refund.updated",
        ),
    ] {
        let mut receiver = Receiver::start();
        let provider = start(&receiver);
        let intent_id = charged(&provider, &mut receiver, token).await;
        let made = provider.stripe.refund(&refund(&intent_id)).await.unwrap();
        assert_eq!(made.status, first);
        let types = events(&provider, &mut receiver).await;
        assert_eq!(types, ["refund.created", event_type]);
        assert_eq!(listed(&provider, &intent_id).await[0].status, last);
    }
}

#[tokio::test]
async fn a_switch_tells_what_becomes_of_the_next_refund() {
    for (switch, last) in [
        ("fail_next", RefundStatus::Failed),
        ("pending_next", RefundStatus::Succeeded),
    ] {
        let mut receiver = Receiver::start();
        let provider = start(&receiver);
        provider.behave(json!({ "refunds": { switch: 1 } })).await;
        let intent_id = charged(&provider, &mut receiver, TestToken::Visa).await;
        let made = provider.stripe.refund(&refund(&intent_id)).await.unwrap();
        assert_eq!(made.status, RefundStatus::Pending);
        events(&provider, &mut receiver).await;
        assert_eq!(listed(&provider, &intent_id).await[0].status, last);
    }
}

#[tokio::test]
async fn after_a_failed_refund_another_is_made_and_both_are_listed() {
    let mut receiver = Receiver::start();
    let provider = start(&receiver);
    provider
        .behave(json!({ "refunds": { "fail_next": 1 } }))
        .await;
    let intent_id = charged(&provider, &mut receiver, TestToken::Visa).await;
    let first = provider.stripe.refund(&refund(&intent_id)).await.unwrap();
    let early = provider.stripe.refund(&refund(&intent_id)).await;
    assert_eq!(
        early.unwrap_err().code(),
        Some("charge_already_refunded"),
        "it is still on its way"
    );
    events(&provider, &mut receiver).await;
    let second = provider.stripe.refund(&refund(&intent_id)).await.unwrap();
    let statuses = listed(&provider, &intent_id).await;
    let statuses = statuses.iter().map(|made| (made.id.as_str(), made.status));
    assert_eq!(
        Vec::from_iter(statuses),
        [
            (second.id.as_str(), RefundStatus::Succeeded),
            (first.id.as_str(), RefundStatus::Failed)
        ]
    );
}

#[tokio::test]
async fn the_next_refunds_are_refused() {
    let provider = Provider::start(|_| {});
    provider
        .behave(json!({ "refunds": { "refuse_next": 1 } }))
        .await;
    let request = provider.intent(TestToken::Visa);
    let intent = provider.stripe.create_intent(&request).await.unwrap();
    let again = refund(&intent.id);
    let refused = provider.stripe.refund(&again).await.unwrap_err();
    assert_eq!(refused.code(), Some("charge_disputed"));
    assert!(listed(&provider, &intent.id).await.is_empty());
    provider.stripe.refund(&again).await.unwrap();
}

/// What was decided when it was made is in the journal.
#[tokio::test]
async fn a_refund_on_its_way_outlasts_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("payments.jsonl");
    let never = std::time::Duration::from_secs(3_600);
    let provider = Provider::start_over(&journal, |config| config.settle_after = never);
    let request = provider.intent(TestToken::RefundPending);
    let intent = provider.stripe.create_intent(&request).await.unwrap();
    let made = provider.stripe.refund(&refund(&intent.id)).await.unwrap();
    assert_eq!(made.status, RefundStatus::Pending);
    provider.stop().await;

    let provider = Provider::start_over(&journal, |_| {});
    let is_done = async || {
        let listed = listed(&provider, &intent.id).await;
        listed[0].status == RefundStatus::Succeeded
    };
    provider.until(is_done).await;
}
