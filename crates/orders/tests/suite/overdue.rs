use chrono::TimeDelta;
use contracts::saga_event::STEP_OVERDUE;
use futures_util::future::join_all;
use orders::domain::OrderStatus;

use crate::{
    databases::on_each_database,
    shop::{Shop, customer, eur},
};

/// Places orders and has the relay publish what they tell.
async fn placed(shop: &Shop, count: usize) {
    let bob = shop.add_product("Plumb bob", eur(1_250), 1_000).await;
    for _ in 0..count {
        shop.place(&customer(), &[(bob, 1)]).await;
    }
    shop.publish_all().await;
}

async fn step_overdue_events(shop: &Shop) -> i64 {
    let sql = "SELECT COUNT(*) FROM outbox WHERE event_type = $1";
    shop.count(sql, [STEP_OVERDUE.into()]).await
}

#[tokio::test]
async fn an_order_is_left_alone_until_its_deadline() {
    on_each_database(async |shop| {
        placed(shop, 1).await;
        let deadline = OrderStatus::Placed.deadline().unwrap();
        shop.clock.advance(deadline - TimeDelta::microseconds(1));
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 0);
        shop.clock.advance(TimeDelta::microseconds(1));
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 1);
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 0);
        assert_eq!(step_overdue_events(shop).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_stays_where_it_is_is_taken_up_again() {
    on_each_database(async |shop| {
        placed(shop, 1).await;
        for _ in 0..3 {
            shop.clock.advance(TimeDelta::seconds(60));
            assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 1);
            shop.publish_all().await;
        }
        assert_eq!(step_overdue_events(shop).await, 3);
    })
    .await;
}

#[tokio::test]
async fn several_workers_take_each_overdue_order_up_once() {
    on_each_database(async |shop| {
        placed(shop, 30).await;
        shop.clock.advance(TimeDelta::seconds(60));
        let other = shop.another_process().await;
        let sweeps = (0..6).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.take_up_overdue()
        });
        let taken_up = join_all(sweeps).await.into_iter();
        assert_eq!(taken_up.map(Result::unwrap).sum::<usize>(), 30);
        assert_eq!(step_overdue_events(shop).await, 30);
    })
    .await;
}

#[tokio::test]
async fn many_overdue_orders_are_taken_up_in_batches() {
    on_each_database(async |shop| {
        placed(shop, 130).await;
        shop.clock.advance(TimeDelta::seconds(60));
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 100);
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 30);
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_order_at_its_end_is_never_overdue() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 1).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        shop.reserve(order.id).await;
        shop.confirm(&order).await;
        let rejected = shop.place(&customer(), &[(bob, 1)]).await;
        shop.reserve(rejected.id).await;
        shop.publish_all().await;
        shop.clock.advance(TimeDelta::days(365));
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 0);
    })
    .await;
}

/// While the broker is away nothing is lost, only late: to tell of it once a minute would flood
/// the outbox.
#[tokio::test]
async fn an_order_whose_event_waits_in_the_outbox_is_not_taken_up() {
    on_each_database(async |shop| {
        placed(shop, 1).await;
        shop.execute("UPDATE outbox SET published_at = NULL", [])
            .await;
        shop.clock.advance(TimeDelta::hours(1));
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 0);
        shop.publish_all().await;
        assert_eq!(shop.orders.take_up_overdue().await.unwrap(), 1);
    })
    .await;
}
