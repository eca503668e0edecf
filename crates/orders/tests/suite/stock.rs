use futures_util::future::join_all;
use kernel::{OrderId, ProductId};
use orders::{Applied, ChargeOutcome, Orders, domain::OrderStatus};

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message},
};

/// Reserves every order at once, as workers of two processes do.
async fn reserve_at_once(shop: &Shop, other: &Orders, ids: &[OrderId]) {
    let reserving = ids.iter().enumerate().map(|(number, &id)| {
        let orders = if number % 2 == 0 { &shop.orders } else { other };
        orders.reserve_stock(message(), id)
    });
    for applied in join_all(reserving).await {
        assert_eq!(applied.unwrap(), Applied::Done);
    }
}

async fn place_many(shop: &Shop, lines: impl Fn(usize) -> Vec<(ProductId, i64)>) -> Vec<OrderId> {
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(shop.place(&customer(), &lines(number)).await.id);
    }
    ids
}

#[tokio::test]
async fn an_order_gets_all_of_its_stock() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let rule = shop.add_product("Folding rule", eur(990), 3).await;
        let order = shop.place(&customer(), &[(bob, 4), (rule, 3)]).await;
        shop.reserve(order.id).await;
        assert_eq!(shop.status(order.id).await, OrderStatus::StockReserved);
        assert_eq!(shop.stock(bob).await, counters(6, 4, 0));
        assert_eq!(shop.stock(rule).await, counters(0, 3, 0));

        shop.confirm(&order).await;
        assert_eq!(shop.stock(bob).await, counters(6, 0, 4));
        assert_eq!(shop.stock(rule).await, counters(0, 0, 3));
    })
    .await;
}

#[tokio::test]
async fn an_order_gets_none_of_its_stock_when_any_is_missing() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let rule = shop.add_product("Folding rule", eur(990), 2).await;
        let order = shop.place(&customer(), &[(bob, 4), (rule, 3)]).await;
        shop.reserve(order.id).await;
        assert_eq!(shop.status(order.id).await, OrderStatus::Rejected);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
        assert_eq!(shop.stock(rule).await, counters(2, 0, 0));
        let reservations = shop
            .count("SELECT COUNT(*) FROM stock_reservations", [])
            .await;
        assert_eq!(reservations, 0);
        assert_eq!(shop.events("orders.order.rejected.v1", order.id).await, 1);
        let reserved = shop
            .events("orders.order.stock_reserved.v1", order.id)
            .await;
        assert_eq!(reserved, 0);
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_product_has_left_the_shop_is_rejected_whole() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let rule = shop.add_product("Folding rule", eur(990), 10).await;
        let order = shop.place(&customer(), &[(bob, 1), (rule, 1)]).await;
        shop.execute(
            "DELETE FROM stock WHERE product_id = $1",
            [rule.as_uuid().into()],
        )
        .await;
        shop.reserve(order.id).await;
        assert_eq!(shop.status(order.id).await, OrderStatus::Rejected);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn twenty_orders_at_once_for_five_pieces_sell_exactly_five() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 5).await;
        let other = shop.another_process().await;
        let ids = place_many(shop, |_| vec![(bob, 1)]).await;
        reserve_at_once(shop, &other, &ids).await;

        let mut reserved = 0;
        for &id in &ids {
            match shop.status(id).await {
                OrderStatus::StockReserved => reserved += 1,
                status => assert_eq!(status, OrderStatus::Rejected),
            }
        }
        assert_eq!(reserved, 5);
        assert_eq!(shop.stock(bob).await, counters(0, 5, 0));
    })
    .await;
}

#[tokio::test]
async fn orders_that_name_the_same_products_in_any_order_do_not_dead_lock() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 20).await;
        let rule = shop.add_product("Folding rule", eur(990), 20).await;
        let other = shop.another_process().await;
        let ids = place_many(shop, |number| match number % 2 {
            0 => vec![(bob, 1), (rule, 1)],
            _ => vec![(rule, 1), (bob, 1)],
        })
        .await;
        reserve_at_once(shop, &other, &ids).await;
        assert_eq!(shop.stock(bob).await, counters(0, 20, 0));
        assert_eq!(shop.stock(rule).await, counters(0, 20, 0));
    })
    .await;
}

#[tokio::test]
async fn a_message_delivered_again_is_a_duplicate_without_effect() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        let placed = message();
        let deliver = async || shop.orders.reserve_stock(placed, order.id).await.unwrap();
        assert_eq!(deliver().await, Applied::Done);
        assert_eq!(deliver().await, Applied::Duplicate);
        assert_eq!(shop.stock(bob).await, counters(9, 1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_message_delivered_many_times_at_once_takes_effect_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let other = shop.another_process().await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        let placed = message();
        let deliveries = (0..10).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.reserve_stock(placed, order.id)
        });
        let applied = join_all(deliveries).await;
        let done = applied
            .iter()
            .filter(|applied| matches!(applied, Ok(Applied::Done)));
        assert_eq!(done.count(), 1);
        assert!(applied.iter().all(Result::is_ok), "{applied:?}");
        assert_eq!(shop.stock(bob).await, counters(9, 1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_rejected_order_stays_rejected_when_its_message_comes_again() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 0).await;
        let order = shop.place(&customer(), &[(bob, 1)]).await;
        let placed = message();
        let deliver = async || shop.orders.reserve_stock(placed, order.id).await.unwrap();
        assert_eq!(deliver().await, Applied::Done);
        shop.execute("UPDATE stock SET total = 5, available = 5", [])
            .await;
        assert_eq!(deliver().await, Applied::Duplicate);
        let stale = shop
            .orders
            .reserve_stock(message(), order.id)
            .await
            .unwrap();
        assert_eq!(stale, Applied::Stale);
        assert_eq!(shop.status(order.id).await, OrderStatus::Rejected);
        assert_eq!(shop.stock(bob).await, counters(5, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn the_stock_of_a_declined_order_is_released_exactly_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let other = shop.another_process().await;
        let order = shop.charging(bob).await;
        let declined = ChargeOutcome::Declined { intent_id: None };
        assert_eq!(shop.settle(order.id, &declined).await, Applied::Done);
        assert_eq!(shop.stock(bob).await, counters(9, 1, 0));

        let releases = (0..6).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.cancel_unpaid(message(), order.id)
        });
        let applied = join_all(releases).await;
        let done = applied
            .iter()
            .filter(|applied| matches!(applied, Ok(Applied::Done)));
        assert_eq!(done.count(), 1);
        assert_eq!(shop.status(order.id).await, OrderStatus::Cancelled);
        assert_eq!(shop.stock(bob).await, counters(10, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn stock_is_sold_exactly_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 3)]).await;
        shop.reserve(order.id).await;
        shop.confirm(&order).await;
        let again = shop.orders.confirm(message(), order.id).await.unwrap();
        assert_eq!(again, Applied::Stale);
        let cancelled = shop
            .orders
            .cancel_unpaid(message(), order.id)
            .await
            .unwrap();
        assert_eq!(cancelled, Applied::Stale);
        assert_eq!(shop.stock(bob).await, counters(7, 0, 3));
    })
    .await;
}
