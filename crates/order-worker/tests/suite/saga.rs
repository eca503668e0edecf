//! The three ends of an order, and several workers at once.

use orders::domain::OrderStatus;

use crate::{databases::on_each_database, world::SCHEDULE};

#[tokio::test]
async fn an_order_is_confirmed() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let before = system.available(product).await;
        let order = system.place(product, "pm_card_visa").await;
        system.reaches(order, OrderStatus::Confirmed).await;
        assert_eq!(
            system.steps(order).await,
            [
                OrderStatus::Placed,
                OrderStatus::StockReserved,
                OrderStatus::PaymentPending,
                OrderStatus::Paid,
                OrderStatus::Confirmed,
            ]
        );
        assert_eq!(system.available(product).await, before - 1);
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_declined_order_is_cancelled_and_its_stock_released() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let before = system.available(product).await;
        let order = system.place(product, "pm_card_chargeDeclined").await;
        system.reaches(order, OrderStatus::Cancelled).await;
        assert_eq!(
            system.steps(order).await,
            [
                OrderStatus::Placed,
                OrderStatus::StockReserved,
                OrderStatus::PaymentPending,
                OrderStatus::PaymentFailed,
                OrderStatus::Cancelled,
            ]
        );
        assert_eq!(system.available(product).await, before);
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_for_what_is_sold_out_is_rejected_and_never_charged() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let sold_out = system.product("Tape measure, Master's").await;
        let order = system.place(sold_out, "pm_card_visa").await;
        system.reaches(order, OrderStatus::Rejected).await;
        let steps = [OrderStatus::Placed, OrderStatus::Rejected];
        assert_eq!(system.steps(order).await, steps);
        assert!(world.intents(order).await.is_empty());
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn several_workers_share_the_work_and_do_nothing_twice() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.start_worker(&system, SCHEDULE);
        world.start_worker(&system, SCHEDULE);
        let product = system.product("Plumb bob, No. 1").await;
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(system.place(product, "pm_card_visa").await);
        }
        for order in orders {
            system.reaches(order, OrderStatus::Confirmed).await;
            assert_eq!(world.intents(order).await.len(), 1);
        }
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}
