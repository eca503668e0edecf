//! Reading back: intents, pages, refunds, and the double's own ledger.

use chrono::TimeDelta;
use kernel::Clock;
use payment::{CreateIntent, IntentStatus, ListIntents, PaymentError, RefundStatus};
use payment_double::TestToken;

use crate::support::{Provider, Receiver, refund};

#[tokio::test]
async fn intents_are_listed_newest_first_in_pages() {
    let provider = Provider::start(|_| {});
    let mut charged = Vec::new();
    for _ in 0..5 {
        let request = provider.intent(TestToken::Visa);
        charged.push(provider.stripe.create_intent(&request).await.unwrap());
        provider.clock.advance(TimeDelta::seconds(1));
    }
    // From the second one on.
    let mut list = ListIntents {
        created_from: charged[1].created,
        created_before: None,
        starting_after: None,
        limit: 3,
    };
    let first = provider.stripe.list_intents(&list).await.unwrap();
    assert!(first.has_more);
    list.starting_after = first.items.last().map(|intent| intent.id.clone());
    let second = provider.stripe.list_intents(&list).await.unwrap();
    assert!(!second.has_more);

    let listed = Vec::from_iter(first.items.into_iter().chain(second.items));
    list.starting_after = None;
    list.created_before = Some(charged[3].created);
    let earlier = provider.stripe.list_intents(&list).await.unwrap();
    assert_eq!(earlier.items, [charged[2].clone(), charged[1].clone()]);
    charged.remove(0);
    charged.reverse();
    assert_eq!(listed, charged);
}

#[tokio::test]
async fn a_page_after_an_unknown_intent_is_refused() {
    let provider = Provider::start(|_| {});
    let list = ListIntents {
        created_from: provider.clock.now(),
        created_before: None,
        starting_after: Some("pi_unknown".to_owned()),
        limit: 10,
    };
    let refused = provider.stripe.list_intents(&list).await.unwrap_err();
    assert_eq!(refused.code(), Some("resource_missing"));
}

#[tokio::test]
async fn an_unknown_intent_is_missing() {
    let provider = Provider::start(|_| {});
    for id in ["pi_unknown", "a/b", "ä ?#", &"x".repeat(1_000)] {
        let missing = provider.stripe.retrieve_intent(id, None).await.unwrap_err();
        assert!(matches!(missing, PaymentError::Rejected(_)), "{missing:?}");
        assert_eq!(missing.code(), Some("resource_missing"), "{id}");
        let missing = provider.stripe.refund(&refund(id)).await.unwrap_err();
        assert_eq!(missing.code(), Some("resource_missing"), "{id}");
        let missing = provider.stripe.list_refunds(id).await.unwrap_err();
        assert_eq!(missing.code(), Some("resource_missing"), "{id}");
    }
}

#[tokio::test]
async fn a_charge_is_refunded_once_and_a_webhook_says_so() {
    let mut receiver = Receiver::start();
    let provider =
        Provider::start(|config| config.webhook_url = Some(receiver.url.parse().unwrap()));
    let request = provider.intent(TestToken::Visa);
    let intent = provider.stripe.create_intent(&request).await.unwrap();
    receiver.next().await;
    assert!(
        provider
            .stripe
            .list_refunds(&intent.id)
            .await
            .unwrap()
            .items
            .is_empty()
    );

    let first = refund(&intent.id);
    let refunded = provider.stripe.refund(&first).await.unwrap();
    assert_eq!(refunded.status, RefundStatus::Succeeded);
    assert_eq!(refunded.amount, intent.amount);
    assert_eq!(refunded.intent_id.as_ref(), Some(&intent.id));
    let event = receiver.next().await.verified(&provider.clock);
    assert_eq!(event.event_type, "refund.created");
    assert_eq!(event.intent_id(), Some(intent.id.as_str()));

    assert_eq!(provider.stripe.refund(&first).await.unwrap(), refunded);
    let again = provider
        .stripe
        .refund(&refund(&intent.id))
        .await
        .unwrap_err();
    assert_eq!(again.code(), Some("charge_already_refunded"));
    let listed = provider.stripe.list_refunds(&intent.id).await.unwrap();
    assert_eq!(listed.items, [refunded]);
    // The payment stays what it was.
    let retrieved = provider
        .stripe
        .retrieve_intent(&intent.id, None)
        .await
        .unwrap();
    assert_eq!(retrieved.status, IntentStatus::Succeeded);
}

#[tokio::test]
async fn all_refunds_are_listed_in_pages() {
    let provider = Provider::start(|_| {});
    let mut refunded = Vec::new();
    for number in 0..102 {
        let request = provider.intent(TestToken::Visa);
        let intent = provider.stripe.create_intent(&request).await.unwrap();
        if number != 50 {
            refunded.push(provider.stripe.refund(&refund(&intent.id)).await.unwrap());
        }
    }
    let first = provider.stripe.list_all_refunds(None).await.unwrap();
    assert!(first.has_more);
    assert_eq!(first.items.len(), 100);
    let last = first.items.last().map(|refund| refund.id.as_str());
    let second = provider.stripe.list_all_refunds(last).await.unwrap();
    assert!(!second.has_more);
    let listed = Vec::from_iter(first.items.iter().chain(&second.items).cloned());
    refunded.reverse();
    assert_eq!(listed, refunded);
    let unknown = provider.stripe.list_all_refunds(Some("re_unknown")).await;
    assert_eq!(unknown.unwrap_err().code(), Some("resource_missing"));
}

#[tokio::test]
async fn what_was_not_charged_is_not_refunded() {
    let provider = Provider::start(|_| {});
    let request = provider.intent(TestToken::Declined);
    let Err(PaymentError::Declined { intent_id, .. }) =
        provider.stripe.create_intent(&request).await
    else {
        panic!("not declined")
    };
    let refused = provider.stripe.refund(&refund(&intent_id.unwrap())).await;
    assert!(
        matches!(refused, Err(PaymentError::Rejected(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_ledger_shows_the_callers_trace() {
    const CHARGE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const REFUND: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    let provider = Provider::start(|_| {});
    let request = CreateIntent {
        traceparent: Some(CHARGE.to_owned()),
        ..provider.intent(TestToken::Visa)
    };
    let intent = provider.stripe.create_intent(&request).await.unwrap();
    let mut back = refund(&intent.id);
    back.traceparent = Some(REFUND.to_owned());
    provider.stripe.refund(&back).await.unwrap();

    let charges = provider.charges_of(request.order_id).await;
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0]["traceparent"], CHARGE);
    assert_eq!(charges[0]["refund"]["traceparent"], REFUND);
    assert_eq!(charges[0]["idempotency_key"], request.idempotency_key);
    assert_eq!(charges[0]["status"], "succeeded");
}

#[tokio::test]
async fn beyond_its_limit_the_oldest_intent_is_forgotten_with_its_key() {
    let provider = Provider::start(|config| config.max_intents = 2);
    let oldest = provider.intent(TestToken::Visa);
    let first = provider.stripe.create_intent(&oldest).await.unwrap();
    provider.stripe.refund(&refund(&first.id)).await.unwrap();
    for _ in 0..2 {
        let request = provider.intent(TestToken::Visa);
        provider.stripe.create_intent(&request).await.unwrap();
    }
    let missing = provider.stripe.retrieve_intent(&first.id, None).await;
    assert!(
        matches!(missing, Err(PaymentError::Rejected(_))),
        "{missing:?}"
    );
    let again = provider.stripe.create_intent(&oldest).await.unwrap();
    assert_ne!(again.id, first.id);
    let ledger = provider.get("/double/ledger").await;
    assert_eq!(ledger["intents"].as_array().unwrap().len(), 2);
}
