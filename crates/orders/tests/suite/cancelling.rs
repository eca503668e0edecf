//! A customer takes an order back before it is paid.

use futures_util::future::join_all;
use kernel::{Actor, OrderId, Role};
use orders::{Applied, ChangeOrderError, ChargeOutcome, Order, OrderError, domain::OrderStatus};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, refunded, someone, succeeded},
};

async fn cancelled(shop: &Shop, order: OrderId) -> Applied {
    let applied = shop.orders.cancel_unpaid(message(), order).await;
    applied.unwrap()
}

fn wrong_state(result: Result<Order, ChangeOrderError>) -> OrderStatus {
    match result {
        Err(ChangeOrderError::WrongState(status)) => status,
        other => panic!("not refused for its state: {other:?}"),
    }
}

#[tokio::test]
async fn an_order_is_cancelled_before_and_after_its_stock_is_set_aside() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        for is_reserved in [false, true] {
            let ada = customer();
            let order = shop.place(&ada, &[(bob, 2)]).await;
            if is_reserved {
                shop.reserve(order.id).await;
                assert_eq!(shop.stock(bob).await, counters(8, 2, 0));
            }
            let asked = shop.orders.cancel(&ada, order.id).await.unwrap();
            assert_eq!(asked.status, OrderStatus::CancelRequested);
            let event = "orders.order.cancel_requested.v1";
            assert_eq!(shop.events(event, order.id).await, 1);
            // The worker comes too late with what it was about to do.
            assert_eq!(shop.orders.begin_charge(order.id).await.unwrap(), None);
            let late = shop.orders.reserve_stock(message(), order.id).await;
            assert_eq!(late.unwrap(), Applied::Stale);

            assert_eq!(cancelled(shop, order.id).await, Applied::Done);
            assert_eq!(cancelled(shop, order.id).await, Applied::Stale);
            assert_eq!(shop.status(order.id).await, OrderStatus::Cancelled);
            assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
            let again = shop.orders.cancel(&ada, order.id).await.unwrap();
            assert_eq!(again.status, OrderStatus::Cancelled, "it is as was asked");
            assert_eq!(shop.events(event, order.id).await, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn asked_many_times_at_once_it_is_one_transition() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let ada = customer();
        let order = shop.place(&ada, &[(bob, 1)]).await;
        let other = shop.another_process().await;
        let asking = (0..8).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.cancel(&ada, order.id)
        });
        for answer in join_all(asking).await {
            assert_eq!(answer.unwrap().status, OrderStatus::CancelRequested);
        }
        let event = "orders.order.cancel_requested.v1";
        assert_eq!(shop.events(event, order.id).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_customer_and_a_worker_at_once_leave_no_stock_behind() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 100).await;
        let other = shop.another_process().await;
        for _ in 0..10 {
            let ada = customer();
            let order = shop.place(&ada, &[(bob, 1)]).await;
            let (asked, reserved) = tokio::join!(
                shop.orders.cancel(&ada, order.id),
                other.reserve_stock(message(), order.id),
            );
            assert_eq!(asked.unwrap().status, OrderStatus::CancelRequested);
            let _ = reserved.unwrap();
            assert_eq!(cancelled(shop, order.id).await, Applied::Done);
        }
        assert_eq!(shop.stock(bob).await, counters(100, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn it_is_too_late_once_the_order_is_paid() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let ada = customer();
        let order = shop.place(&ada, &[(bob, 1)]).await;
        shop.reserve(order.id).await;
        shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        let paid = shop.settle(order.id, &succeeded(&order)).await;
        assert_eq!(paid, Applied::Done);
        let refused = shop.orders.cancel(&ada, order.id).await;
        assert_eq!(wrong_state(refused), OrderStatus::Paid);
        let confirmed = shop.orders.confirm(message(), order.id).await;
        assert_eq!(confirmed.unwrap(), Applied::Done);
        let refused = shop.orders.cancel(&ada, order.id).await;
        assert_eq!(wrong_state(refused), OrderStatus::Confirmed);
        assert_eq!(shop.stock(bob).await, counters(9, 0, 1));
    })
    .await;
}

#[tokio::test]
async fn taken_back_while_it_is_charged_and_declined_it_is_cancelled() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        for is_unknown in [false, true] {
            let ada = customer();
            let order = shop.place(&ada, &[(bob, 1)]).await;
            shop.reserve(order.id).await;
            shop.orders.begin_charge(order.id).await.unwrap().unwrap();
            if is_unknown {
                let unknown = shop.settle(order.id, &ChargeOutcome::Unknown).await;
                assert_eq!(unknown, Applied::Done);
            }
            shop.orders.cancel(&ada, order.id).await.unwrap();
            assert_eq!(shop.orders.begin_charge(order.id).await.unwrap(), None);
            let doubt = shop.orders.charge_in_doubt(order.id).await.unwrap();
            assert_eq!(doubt.unwrap().charge.order_id, order.id);
            // What leaves it open changes nothing.
            let unknown = shop.settle(order.id, &ChargeOutcome::Unknown).await;
            assert_eq!(unknown, Applied::Stale);
            assert_eq!(shop.status(order.id).await, OrderStatus::CancelRequested);
            assert_eq!(shop.stock(bob).await, counters(9, 1, 0));

            let declined = ChargeOutcome::Declined { intent_id: None };
            assert_eq!(shop.settle(order.id, &declined).await, Applied::Done);
            assert_eq!(shop.status(order.id).await, OrderStatus::Cancelled);
            assert_eq!(shop.orders.charge_in_doubt(order.id).await.unwrap(), None);
            assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        }
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn taken_back_while_it_is_charged_and_paid_its_money_goes_back() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.taken_back(bob).await;
        let paid = succeeded(&order);
        assert_eq!(shop.settle(order.id, &paid).await, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::Refunding);
        // The webhook comes after the call's answer, and again.
        assert_eq!(shop.settle(order.id, &paid).await, Applied::Stale);
        let late = shop.orders.confirm(message(), order.id).await.unwrap();
        assert_eq!(late, Applied::Stale, "never sold");
        assert_eq!(cancelled(shop, order.id).await, Applied::Stale);

        let refund = shop.orders.open_refund(order.id).await.unwrap().unwrap();
        assert_eq!(refund.amount, order.total);
        let given_back = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(given_back, Applied::Done);
        assert_eq!(shop.status(order.id).await, OrderStatus::Refunded);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        shop.publish_all().await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

/// Whoever is first, the money is kept for an order that is sold, or goes back.
#[tokio::test]
async fn the_customer_and_the_provider_at_once_keep_no_money_for_nothing() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 100).await;
        let other = shop.another_process().await;
        for _ in 0..10 {
            let ada = customer();
            let order = shop.place(&ada, &[(bob, 1)]).await;
            shop.reserve(order.id).await;
            shop.orders.begin_charge(order.id).await.unwrap().unwrap();
            let paid = succeeded(&order);
            let (asked, settled) = tokio::join!(
                shop.orders.cancel(&ada, order.id),
                other.settle_charge(message(), order.id, &paid),
            );
            assert_eq!(settled.unwrap(), Applied::Done);
            let expected = match asked {
                Ok(_) => OrderStatus::Refunding,
                Err(ChangeOrderError::WrongState(_)) => OrderStatus::Paid,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(shop.status(order.id).await, expected);
        }
        shop.publish_all().await;
        assert_eq!(shop.breached().await, ["every order reached an end state"]);
    })
    .await;
}

#[tokio::test]
async fn only_ones_own_order_is_cancelled_and_nobody_learns_of_others() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        let nobodys: OrderId = Uuid::now_v7().into();
        let cancel = async |actor: &Actor, id| shop.orders.cancel(actor, id).await;
        for role in [Role::Customer, Role::Support, Role::Admin] {
            for id in [order.id, nobodys] {
                let refused = cancel(&someone(role), id).await;
                assert!(matches!(refused, Err(ChangeOrderError::NotFound)));
            }
        }
        let refused = cancel(&someone(Role::Service), order.id).await;
        let forbidden = ChangeOrderError::Order(OrderError::Forbidden);
        assert_eq!(refused.unwrap_err().to_string(), forbidden.to_string());
        assert_eq!(shop.status(order.id).await, OrderStatus::Placed);
    })
    .await;
}
