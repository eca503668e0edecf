use chrono::TimeDelta;
use contracts::saga_event::STEP_OVERDUE;
use futures_util::future::join_all;
use kernel::{Currency, Money, OrderId};
use orders::{
    Applied, ChargeOutcome, PaymentNotice, RefundOutcome, audit::LedgerCharge, domain::OrderStatus,
};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, refunded, succeeded},
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

/// Neither the amount nor the currency may differ: the payment has failed, and the money goes back.
#[tokio::test]
async fn another_amount_than_the_total_is_never_taken_for_payment() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let usd = Currency::parse("USD").unwrap();
        for wrong in [eur(1_249), eur(1_251), Money::new(1_250, usd)] {
            let order = shop.charging(bob).await;
            let intent_id = format!("pi_{}", order.id);
            let charged = ChargeOutcome::Succeeded {
                intent_id: intent_id.clone(),
                amount: wrong,
            };
            assert_eq!(shop.settle(order.id, &charged).await, Applied::Done);
            assert_eq!(shop.settle(order.id, &charged).await, Applied::Stale);
            assert_eq!(shop.status(order.id).await, OrderStatus::PaymentFailed);
            let refund = shop.orders.open_refund(order.id).await.unwrap().unwrap();
            assert_eq!((&refund.intent_id, refund.amount), (&intent_id, wrong));
            assert_eq!(
                shop.events(STEP_OVERDUE, order.id).await,
                1,
                "the worker is told"
            );
            let cancelled = shop.orders.cancel_unpaid(message(), order.id).await;
            assert_eq!(cancelled.unwrap(), Applied::Done);
            let given_back = RefundOutcome::Succeeded {
                provider_refund_id: format!("re_{}", order.id),
                amount: wrong,
            };
            let settled = shop.settle_refund(order.id, &given_back).await;
            assert_eq!(settled, Applied::Done);
            assert_eq!(shop.status(order.id).await, OrderStatus::Cancelled);
        }
        assert_eq!(attempts(shop, "succeeded").await, 0);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

/// The same order charged by two payments, in either order of their news.
#[tokio::test]
async fn a_second_payment_goes_back_and_leaves_the_order_as_it_is() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        assert_eq!(
            shop.settle(order.id, &succeeded(&order)).await,
            Applied::Done
        );
        let confirmed = shop.orders.confirm(message(), order.id).await.unwrap();
        assert_eq!(confirmed, Applied::Done);
        let second = ChargeOutcome::Succeeded {
            intent_id: "pi_second".to_owned(),
            amount: order.total,
        };
        assert_eq!(shop.settle(order.id, &second).await, Applied::Done);
        for _ in 0..2 {
            assert_eq!(shop.settle(order.id, &second).await, Applied::Stale);
            let refund = shop.orders.open_refund(order.id).await.unwrap().unwrap();
            assert_eq!(refund.intent_id, "pi_second");
        }
        shop.publish_all().await;
        let beside = "every payment beside an order's own was given back";
        assert_eq!(shop.breached().await, [beside]);
        let settled = shop.settle_refund_of("pi_second", &refunded(&order)).await;
        assert_eq!(settled, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::Confirmed);
        assert_eq!(shop.stock(bob).await, counters(9, 0, 1), "it stays sold");
        assert_eq!(shop.breached().await, [""; 0]);

        // The provider's books agree: one payment is kept.
        let charge = |refunded| LedgerCharge {
            order_id: order.id,
            amount: order.total,
            refunded,
        };
        for (ledger, violations) in [
            ([charge(0), charge(1_250)], 0),
            ([charge(1_250), charge(0)], 0),
            ([charge(0), charge(0)], 1),
            ([charge(1_250), charge(1_250)], 1),
        ] {
            let finding = shop.orders.audit_ledger(&ledger).await.unwrap();
            assert_eq!(finding.violations, violations, "{ledger:?}");
        }
    })
    .await;
}

/// News about another payment says nothing of the one that the order waits for.
#[tokio::test]
async fn a_declined_payment_beside_the_orders_own_changes_nothing() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let processing = ChargeOutcome::Processing {
            intent_id: format!("pi_{}", order.id),
        };
        assert_eq!(shop.settle(order.id, &processing).await, Applied::Done);
        let beside = || Some("pi_beside".to_owned());
        for news in [
            ChargeOutcome::Declined {
                intent_id: beside(),
            },
            ChargeOutcome::Processing {
                intent_id: "pi_beside".to_owned(),
            },
        ] {
            assert_eq!(shop.settle(order.id, &news).await, Applied::Stale);
        }
        assert_eq!(
            shop.settle(order.id, &succeeded(&order)).await,
            Applied::Done
        );
        assert_eq!(shop.status(order.id).await, OrderStatus::Paid);
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

/// The provider contradicts itself, before or after the order has ended.
#[tokio::test]
async fn what_is_charged_after_a_decline_goes_back() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        for is_cancelled in [false, true] {
            let order = shop.charging(bob).await;
            let declined = ChargeOutcome::Declined { intent_id: None };
            assert_eq!(shop.settle(order.id, &declined).await, Applied::Done);
            if is_cancelled {
                let cancelled = shop.orders.cancel_unpaid(message(), order.id).await;
                assert_eq!(cancelled.unwrap(), Applied::Done);
            }
            assert_eq!(
                shop.settle(order.id, &succeeded(&order)).await,
                Applied::Done
            );
            assert_eq!(shop.status(order.id).await, OrderStatus::Refunding);
            let late = shop.orders.cancel_unpaid(message(), order.id).await;
            assert_eq!(late.unwrap(), Applied::Stale);
            shop.publish_all().await;
            assert_eq!(shop.breached().await, ["every order reached an end state"]);
            let settled = shop.settle_refund(order.id, &refunded(&order)).await;
            assert_eq!(settled, Applied::Done);
            assert_eq!(shop.status(order.id).await, OrderStatus::Refunded);
        }
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
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
