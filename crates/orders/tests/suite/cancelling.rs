//! A customer takes an order back before its payment has begun.

use futures_util::future::join_all;
use kernel::{Actor, OrderId, Role};
use orders::{Applied, ChangeOrderError, Order, OrderError, domain::OrderStatus};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, someone},
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
async fn it_is_too_late_once_the_payment_has_begun() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let ada = customer();
        let order = shop.place(&ada, &[(bob, 1)]).await;
        shop.reserve(order.id).await;
        shop.orders.begin_charge(order.id).await.unwrap().unwrap();
        let refused = shop.orders.cancel(&ada, order.id).await;
        assert_eq!(wrong_state(refused), OrderStatus::PaymentPending);
        shop.confirm(&order).await;
        let refused = shop.orders.cancel(&ada, order.id).await;
        assert_eq!(wrong_state(refused), OrderStatus::Confirmed);
        assert_eq!(shop.stock(bob).await, counters(9, 0, 1));
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
