use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::OrderId;
use orders::{Applied, ChargeOutcome, PaymentNotice, domain::OrderStatus};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, succeeded},
};

async fn attempts(shop: &Shop, status: &str) -> i64 {
    shop.count(
        "SELECT COUNT(*) FROM payment_attempts WHERE status = $1",
        [status.into()],
    )
    .await
}

#[tokio::test]
async fn a_charge_begun_again_is_the_same_attempt() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 2)]).await;
        shop.reserve(order.id).await;
        let first = shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        assert_eq!((first.order_id, first.amount), (order.id, eur(2_500)));
        assert_eq!(first.payment_method, "pm_card_visa");
        assert_eq!(shop.status(order.id).await, OrderStatus::PaymentPending);

        shop.clock.advance(TimeDelta::minutes(5));
        let again = shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        assert_eq!(again.attempt_id, first.attempt_id);
        assert_eq!(again.amount, first.amount);
        assert_eq!(attempts(shop, "open").await, 1);
        let pending = shop
            .events("orders.order.payment_pending.v1", order.id)
            .await;
        assert_eq!(pending, 1);
    })
    .await;
}

#[tokio::test]
async fn workers_that_begin_a_charge_at_once_share_one_attempt() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        shop.reserve(order.id).await;
        let other = shop.another_process().await;
        let beginning = (0..8).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.begin_charge(order.id)
        });
        let mut ids: Vec<_> = join_all(beginning)
            .await
            .into_iter()
            .map(|charge| charge.unwrap().expect("a charge").attempt_id)
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(attempts(shop, "open").await, 1);
    })
    .await;
}

#[tokio::test]
async fn there_is_nothing_to_charge_before_stock_is_reserved_or_after_the_end() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        assert_eq!(shop.orders.begin_charge(order.id).await.unwrap(), None);
        shop.reserve(order.id).await;
        shop.confirm(&order).await;
        assert_eq!(shop.orders.begin_charge(order.id).await.unwrap(), None);
        let unknown: OrderId = Uuid::now_v7().into();
        assert_eq!(shop.orders.begin_charge(unknown).await.unwrap(), None);
        assert_eq!(attempts(shop, "succeeded").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_paid_order_is_confirmed() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let (answer, webhook) = (message(), message());
        let settle = async |received| {
            let paid = succeeded(&order);
            let settled = shop.orders.settle_charge(received, order.id, &paid).await;
            settled.unwrap()
        };
        assert_eq!(settle(answer).await, Applied::Done);
        assert_eq!(settle(answer).await, Applied::Duplicate);
        assert_eq!(settle(webhook).await, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Paid);
        assert_eq!(shop.events("orders.order.paid.v1", order.id).await, 1);

        let confirmed = shop.orders.confirm(message(), order.id).await.unwrap();
        assert_eq!(confirmed, Applied::Done);
        assert_eq!(settle(message()).await, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Confirmed);
        assert_eq!(attempts(shop, "succeeded").await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_and_its_webhook_at_once_pay_the_order_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let other = shop.another_process().await;
        let paid = succeeded(&order);
        let settling = (0..8).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.settle_charge(message(), order.id, &paid)
        });
        let applied = join_all(settling).await;
        let done = applied
            .iter()
            .filter(|applied| matches!(applied, Ok(Applied::Done)));
        assert_eq!(done.count(), 1, "{applied:?}");
        assert_eq!(shop.events("orders.order.paid.v1", order.id).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_outcome_that_comes_before_any_attempt_changes_nothing() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        shop.reserve(order.id).await;
        let declined = ChargeOutcome::Declined { intent_id: None };
        for early in [succeeded(&order), declined, ChargeOutcome::Unknown] {
            assert_eq!(shop.settle(order.id, &early).await, Applied::Stale);
        }
        assert_eq!(shop.status(order.id).await, OrderStatus::StockReserved);
        shop.confirm(&order).await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_the_bank_works_on_is_settled_by_what_follows() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let intent_id = format!("pi_{}", order.id);
        let processing = ChargeOutcome::Processing {
            intent_id: intent_id.clone(),
        };
        assert_eq!(shop.settle(order.id, &processing).await, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::PaymentPending);

        // The intent is known now: whoever asks again asks about it.
        let charge = shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        assert_eq!(charge.intent_id, Some(intent_id));
        assert_eq!(
            shop.settle(order.id, &succeeded(&order)).await,
            Applied::Done
        );
        assert_eq!(shop.status(order.id).await, OrderStatus::Paid);
        // A late word changes nothing.
        assert_eq!(shop.settle(order.id, &processing).await, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Paid);
        assert_eq!(attempts(shop, "open").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_outcome_is_kept_until_the_provider_tells() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let attempt = shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        let unknown = ChargeOutcome::Unknown;
        assert_eq!(shop.settle(order.id, &unknown).await, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::PaymentUnknown);
        assert_eq!(shop.settle(order.id, &unknown).await, Applied::Stale);
        assert_eq!(shop.stock(bob).await, counters(9, 1, 0));

        // The next call carries the same key, for the first may have charged.
        let again = shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        assert_eq!(again.attempt_id, attempt.attempt_id);
        assert_eq!(
            shop.settle(order.id, &succeeded(&order)).await,
            Applied::Done
        );
        assert_eq!(shop.settle(order.id, &unknown).await, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Paid);
    })
    .await;
}

#[tokio::test]
async fn another_amount_than_the_total_is_never_taken_for_payment() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let intent_id = format!("pi_{}", order.id);
        let wrong = ChargeOutcome::Succeeded {
            intent_id: intent_id.clone(),
            amount: eur(1_249),
        };
        assert_eq!(shop.settle(order.id, &wrong).await, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::PaymentUnknown);
        assert_eq!(attempts(shop, "succeeded").await, 0);
        // For whoever looks into it.
        let charge = shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        assert_eq!(charge.intent_id, Some(intent_id));

        let other_currency = ChargeOutcome::Succeeded {
            intent_id: "pi_other".to_owned(),
            amount: kernel::Money::new(1_250, kernel::Currency::parse("USD").unwrap()),
        };
        let again = shop.charging(bob).await;
        assert_eq!(shop.settle(again.id, &other_currency).await, Applied::Done);
        assert_eq!(shop.status(again.id).await, OrderStatus::PaymentUnknown);
    })
    .await;
}

#[tokio::test]
async fn a_declined_order_is_cancelled_and_its_stock_released() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let declined = ChargeOutcome::Declined {
            intent_id: Some("pi_declined".to_owned()),
        };
        assert_eq!(shop.settle(order.id, &declined).await, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::PaymentFailed);
        assert_eq!(shop.orders.begin_charge(order.id).await.unwrap(), None);
        // The provider contradicts itself: the order is not paid behind everybody's back.
        assert_eq!(
            shop.settle(order.id, &succeeded(&order)).await,
            Applied::Stale
        );

        let cancelled = shop
            .orders
            .cancel_unpaid(message(), order.id)
            .await
            .unwrap();
        assert_eq!(cancelled, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::Cancelled);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        assert_eq!(attempts(shop, "declined").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_late_decline_does_not_undo_a_payment() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        assert_eq!(
            shop.settle(order.id, &succeeded(&order)).await,
            Applied::Done
        );
        let declined = ChargeOutcome::Declined { intent_id: None };
        assert_eq!(shop.settle(order.id, &declined).await, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Paid);
        assert_eq!(attempts(shop, "succeeded").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_webhook_is_stored_once_however_often_it_comes() {
    on_each_database(async |shop| {
        let other = shop.another_process().await;
        let notice = PaymentNotice {
            provider_event_id: "evt_1".to_owned(),
            event_type: "payment_intent.succeeded".to_owned(),
            intent_id: "pi_1".to_owned(),
        };
        let receiving = (0..8).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.receive_payment_notice(&notice)
        });
        let new = join_all(receiving).await;
        let new = new.into_iter().filter(|new| *new.as_ref().unwrap());
        assert_eq!(new.count(), 1);
        assert_eq!(
            shop.count("SELECT COUNT(*) FROM payment_notices", []).await,
            1
        );
        let events = "SELECT COUNT(*) FROM outbox
            WHERE event_type = 'orders.payment.notice_received.v1'";
        assert_eq!(shop.count(events, []).await, 1);
    })
    .await;
}
