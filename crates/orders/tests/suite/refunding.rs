//! All of an order's money goes back, once, and its pieces are for others again.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::{OrderId, Role};
use orders::{Applied, ChangeOrderError, RefundOutcome, audit::LedgerCharge, domain::OrderStatus};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, refund_failed, refunded, someone, succeeded},
};

async fn refunds(shop: &Shop, status: &str) -> i64 {
    let sql = "SELECT COUNT(*) FROM refunds WHERE status = $1";
    shop.count(sql, [status.into()]).await
}

#[tokio::test]
async fn a_confirmed_order_is_refunded_and_its_pieces_are_available_again() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        let admin = someone(Role::Admin);
        let asked = shop.orders.refund(&admin, order.id).await.unwrap();
        assert_eq!(asked.status, OrderStatus::Refunding);
        assert_eq!(
            shop.stock(bob).await,
            counters(9, 0, 1),
            "not before the money"
        );

        let refund = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        assert_eq!(refund.intent_id, format!("pi_{}", order.id));
        assert_eq!((refund.amount, refund.order_id), (eur(1_250), order.id));
        shop.clock.advance(TimeDelta::minutes(5));
        let again = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        assert_eq!(again.id, refund.id, "the key stays the same");
        assert_eq!(again.age - refund.age, TimeDelta::minutes(5));

        let answer = message();
        let settle = async |received| {
            let outcome = refunded(&order);
            let settled = shop.orders.settle_refund(received, refund.id, &outcome);
            settled.await.unwrap()
        };
        assert_eq!(settle(answer).await, Applied::Done);
        assert_eq!(settle(answer).await, Applied::Duplicate);
        assert_eq!(settle(message()).await, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Refunded);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        assert_eq!(shop.events("orders.order.refunded.v1", order.id).await, 1);
        assert_eq!(shop.orders.open_refund(order.id).await.unwrap(), None);
        let again = shop.orders.refund(&admin, order.id).await.unwrap();
        assert_eq!(again.status, OrderStatus::Refunded, "it is as was asked");
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_paid_and_not_yet_confirmed_is_refunded_and_never_sold() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let paid = shop.settle(order.id, &succeeded(&order)).await;
        assert_eq!(paid, Applied::Done);
        let admin = someone(Role::Admin);
        shop.orders.refund(&admin, order.id).await.unwrap();
        let late = shop.orders.confirm(message(), order.id).await.unwrap();
        assert_eq!(late, Applied::Stale);
        let settled = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(settled, Applied::Done);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn asked_many_times_at_once_it_is_one_refund() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        let (admin, other) = (someone(Role::Admin), shop.another_process().await);
        let asking = (0..8).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.refund(&admin, order.id)
        });
        for answer in join_all(asking).await {
            assert_eq!(answer.unwrap().status, OrderStatus::Refunding);
        }
        assert_eq!(refunds(shop, "open").await, 1);
        let refund = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        let outcome = refunded(&order);
        let settling = (0..8).map(|_| shop.orders.settle_refund(message(), refund.id, &outcome));
        let applied = join_all(settling).await.into_iter();
        let done = applied.filter(|applied| matches!(applied, Ok(Applied::Done)));
        assert_eq!(done.count(), 1);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_refund_on_its_way_is_asked_about_and_a_failed_one_is_made_anew() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        let admin = someone(Role::Admin);
        shop.orders.refund(&admin, order.id).await.unwrap();
        let first = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        let provider_refund_id = "re_1".to_owned();
        let pending = RefundOutcome::Pending {
            provider_refund_id: provider_refund_id.clone(),
        };
        assert_eq!(shop.settle_refund(order.id, &pending).await, Applied::Done);
        let known = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        assert_eq!(known.provider_refund_id.as_deref(), Some("re_1"));
        assert_eq!(known.id, first.id);

        let failed = RefundOutcome::Failed {
            provider_refund_id: Some(provider_refund_id),
            reason: "the bank refused".to_owned(),
        };
        assert_eq!(shop.settle_refund(order.id, &failed).await, Applied::Done);
        let early = shop.orders.open_refund(order.id).await.unwrap();
        assert_eq!(early, None, "not at once");
        shop.clock.advance(TimeDelta::minutes(1));
        let next = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        assert_ne!(next.id, first.id, "a new key, or the old answer would come");
        assert_eq!(next.provider_refund_id, None);
        assert_eq!(shop.status(order.id).await, OrderStatus::Refunding);
        let settled = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(settled, Applied::Done);
        assert_eq!(
            (
                refunds(shop, "failed").await,
                refunds(shop, "succeeded").await
            ),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_fails_for_ever_is_tried_ever_more_seldom_and_then_waits_for_a_person() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        let admin = someone(Role::Admin);
        shop.orders.refund(&admin, order.id).await.unwrap();
        let mut keys = HashSet::new();
        for pause in [1, 4, 16, 64] {
            let refund = shop.orders.open_refund(order.id).await.unwrap().unwrap();
            assert!(keys.insert(refund.id), "a used key again");
            let failed = shop.settle_refund(order.id, &refund_failed()).await;
            assert_eq!(failed, Applied::Done);
            shop.publish_all().await;
            assert_eq!(shop.breached().await, ["every order reached an end state"]);
            shop.clock
                .advance(TimeDelta::minutes(pause) - TimeDelta::microseconds(1));
            assert_eq!(shop.orders.open_refund(order.id).await.unwrap(), None);
            shop.clock.advance(TimeDelta::microseconds(1));
        }
        assert_eq!(
            shop.settle_refund(order.id, &refund_failed()).await,
            Applied::Done
        );
        assert_eq!(shop.status(order.id).await, OrderStatus::RefundFailed);
        assert_eq!(shop.orders.open_refund(order.id).await.unwrap(), None);
        assert_eq!(
            shop.events("orders.order.refund_failed.v1", order.id).await,
            1
        );
        shop.clock.advance(TimeDelta::days(2));
        shop.publish_all().await;
        assert_eq!(
            shop.orders.take_up_overdue().await.unwrap(),
            0,
            "nobody tries"
        );
        let waits = "no refund has failed for good and waits for a person";
        assert_eq!(shop.breached().await, [waits]);
        let reason = "SELECT COUNT(*) FROM refunds WHERE failure = 'the bank refused'";
        assert_eq!(shop.count(reason, []).await, 5);

        // The person has mended the cause.
        let asked = shop.orders.refund(&admin, order.id).await.unwrap();
        assert_eq!(asked.status, OrderStatus::Refunding);
        let given_back = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(given_back, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::Refunded);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

/// Some banks refuse what the provider had said to be done.
#[tokio::test]
async fn a_refund_that_fails_after_it_succeeded_is_made_anew() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        let admin = someone(Role::Admin);
        shop.orders.refund(&admin, order.id).await.unwrap();
        for _ in 0..2 {
            let settled = shop.settle_refund(order.id, &refunded(&order)).await;
            assert_eq!(settled, Applied::Done);
            assert_eq!(shop.status(order.id).await, OrderStatus::Refunded);
            let failed = shop.settle_refund(order.id, &refund_failed()).await;
            assert_eq!(failed, Applied::Done);
            assert_eq!(shop.status(order.id).await, OrderStatus::Refunding);
        }
        let settled = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(settled, Applied::Done);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0), "once");
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn another_amount_than_the_total_is_never_taken_for_the_refund() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        shop.orders
            .refund(&someone(Role::Admin), order.id)
            .await
            .unwrap();
        let less = RefundOutcome::Succeeded {
            provider_refund_id: "re_1".to_owned(),
            amount: eur(1_249),
        };
        assert_eq!(shop.settle_refund(order.id, &less).await, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::RefundFailed);
        assert_eq!(shop.stock(bob).await, counters(9, 0, 1));
        shop.publish_all().await;
        let waits = "no refund has failed for good and waits for a person";
        assert_eq!(shop.breached().await, [waits]);
    })
    .await;
}

#[tokio::test]
async fn what_was_not_paid_is_not_refunded_and_only_admins_may_ask() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let ada = customer();
        let placed = shop.place(&ada, &[(bob, 1)]).await;
        let admin = someone(Role::Admin);
        let refused = shop.orders.refund(&admin, placed.id).await;
        let status = OrderStatus::Placed;
        assert!(
            matches!(refused, Err(ChangeOrderError::WrongState(it)) if it == status),
            "{refused:?}"
        );
        let nobodys: OrderId = Uuid::now_v7().into();
        let refused = shop.orders.refund(&admin, nobodys).await;
        assert!(matches!(refused, Err(ChangeOrderError::NotFound)));
        let confirmed = shop.confirmed(bob).await;
        for actor in [ada, someone(Role::Support), someone(Role::Service)] {
            let refused = shop.orders.refund(&actor, confirmed.id).await;
            assert!(matches!(refused, Err(ChangeOrderError::Order(_))));
        }
        assert_eq!(refunds(shop, "open").await, 0);
    })
    .await;
}

#[tokio::test]
async fn refunds_that_the_orders_do_not_tell_of_are_seen() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        shop.orders
            .refund(&someone(Role::Admin), order.id)
            .await
            .unwrap();
        let settled = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(settled, Applied::Done);
        shop.publish_all().await;
        let invariant = "refunded in full, and once, if and only if the order says so";
        let waits = "no refund has failed for good and waits for a person";
        let beside = "every payment beside an order's own was given back";
        for (breach, mend, expected) in [
            (
                "amount = amount - 1",
                "amount = amount + 1",
                vec![invariant],
            ),
            ("currency = 'USD'", "currency = 'EUR'", vec![invariant]),
            (
                "status = 'failed'",
                "status = 'succeeded'",
                vec![invariant, waits],
            ),
            ("status = 'open'", "status = 'succeeded'", vec![invariant]),
            (
                "intent_id = 'pi_beside', status = 'open'",
                "status = 'succeeded', intent_id = (SELECT intent_id FROM payment_attempts)",
                vec![invariant, beside],
            ),
        ] {
            for (assignment, expected) in [(breach, expected), (mend, vec![])] {
                let sql = format!("UPDATE refunds SET {assignment}");
                assert_eq!(shop.execute(&sql, []).await, 1);
                assert_eq!(shop.breached().await, expected, "{assignment}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_providers_refunds_are_compared_with_the_orders() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.confirmed(bob).await;
        let violations = async |refunded| {
            let charge = LedgerCharge {
                order_id: order.id,
                amount: order.total,
                refunded,
            };
            let finding = shop.orders.audit_ledger(&[charge]).await.unwrap();
            finding.violations
        };
        assert_eq!(violations(0).await, 0);
        assert_eq!(violations(1_250).await, 1, "nobody asked for it");
        shop.orders
            .refund(&someone(Role::Admin), order.id)
            .await
            .unwrap();
        assert_eq!((violations(0).await, violations(1_250).await), (0, 0));
        assert_eq!(violations(1).await, 1, "not all of it");
        let _ = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!((violations(0).await, violations(1_250).await), (1, 0));
    })
    .await;
}
