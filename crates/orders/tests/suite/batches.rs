//! Steps of several orders that are asked for at the same moment.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use kernel::ProductId;
use orders::{Applied, Charge, Order, Orders, domain::OrderStatus};

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, succeeded},
};

/// One that begins alone, and those who come meanwhile.
const ORDERS: usize = 1 + 16;

async fn place_many(shop: &Shop, product: ProductId) -> Vec<Order> {
    let mut placed = Vec::new();
    for _ in 0..ORDERS {
        placed.push(shop.place(&customer(), &[(product, 1)]).await);
    }
    placed
}

async fn reserve_all(orders: &Orders, placed: &[Order]) {
    let reserving = placed
        .iter()
        .map(|order| orders.reserve_stock(message(), order.id));
    for applied in join_all(reserving).await {
        assert_eq!(applied.unwrap(), Applied::Done);
    }
}

async fn charge_all(orders: &Orders, placed: &[Order]) -> Vec<Charge> {
    let charging = placed.iter().map(|order| orders.begin_charge(order.id));
    let charges = join_all(charging).await.into_iter();
    charges.map(|charge| charge.unwrap().unwrap()).collect()
}

async fn confirm(orders: &Orders, order: &Order) -> Option<Applied> {
    let intent_id = format!("pi_{}", order.id);
    orders
        .confirm_charged(message(), order.id, &intent_id, order.total)
        .await
        .unwrap()
}

#[tokio::test]
async fn seventeen_orders_cost_the_statements_of_two() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 100).await;
        let statements = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&statements);
        let orders = shop
            .observed(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            })
            .await;
        let placed = place_many(shop, bob).await;
        let alone = shop.place(&customer(), &[(bob, 1)]).await;

        let mut costs = Vec::new();
        for of_all in [vec![alone], placed] {
            reserve_all(&orders, &of_all).await;
            charge_all(&orders, &of_all).await;
            for applied in join_all(of_all.iter().map(|order| confirm(&orders, order))).await {
                assert_eq!(applied, Some(Applied::Done));
            }
            costs.push(statements.swap(0, Ordering::Relaxed));
        }
        assert_eq!(costs[1], 2 * costs[0], "{costs:?}");
        assert_eq!(shop.stock(bob).await, counters(82, 0, 18));
        assert!(shop.audit_is_green().await);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_can_not_be_read_does_no_harm_to_the_others() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 100).await;
        let placed = place_many(shop, bob).await;
        let corrupt = placed[5].id;
        let spoil = "UPDATE orders SET total_currency = $1 WHERE id = $2";
        let write = async |currency: &str| {
            let values = [currency.into(), corrupt.as_uuid().into()];
            shop.execute(spoil, values).await;
        };
        write("???").await;
        let reserving = placed
            .iter()
            .map(|order| shop.orders.reserve_stock(message(), order.id));
        let answers = join_all(reserving).await;
        for (order, answer) in placed.iter().zip(answers) {
            assert_eq!(answer.is_ok(), order.id != corrupt);
        }
        // Nothing was written for the one that failed.
        assert_eq!(shop.stock(bob).await, counters(84, 16, 0));
        write("EUR").await;
        assert_eq!(shop.status(corrupt).await, OrderStatus::Placed);
        shop.reserve(corrupt).await;
    })
    .await;
}

#[tokio::test]
async fn those_for_whom_there_is_nothing_left_are_rejected_and_no_others() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let placed = place_many(shop, bob).await;
        let other = shop.another_process().await;
        let reserving = placed.iter().enumerate().map(|(number, order)| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.reserve_stock(message(), order.id)
        });
        for applied in join_all(reserving).await {
            assert_eq!(applied.unwrap(), Applied::Done);
        }
        let mut rejected = 0;
        for order in &placed {
            match shop.status(order.id).await {
                OrderStatus::StockReserved => {}
                OrderStatus::Rejected => rejected += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(rejected, ORDERS - 10);
        assert_eq!(shop.stock(bob).await, counters(0, 10, 0));
    })
    .await;
}

#[tokio::test]
async fn a_step_that_is_asked_for_twice_in_a_batch_is_taken_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 100).await;
        let placed = place_many(shop, bob).await;
        let twice: Vec<_> = placed.iter().chain(&placed).collect();
        let reserving = twice
            .iter()
            .map(|order| shop.orders.reserve_stock(message(), order.id));
        let answers: Vec<_> = join_all(reserving).await;
        let done = answers
            .iter()
            .filter(|answer| matches!(answer, Ok(Applied::Done)));
        assert_eq!(done.count(), ORDERS);
        charge_all(&shop.orders, &placed).await;
        let answers = join_all(twice.iter().map(|order| confirm(&shop.orders, order))).await;
        let done = answers
            .iter()
            .filter(|answer| **answer == Some(Applied::Done));
        assert_eq!(done.count(), ORDERS);
        assert_eq!(shop.stock(bob).await, counters(83, 0, 17));
        assert!(shop.audit_is_green().await);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_comes_twice_confirms_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let received = message();
        let deliver = async || {
            let intent_id = format!("pi_{}", order.id);
            let confirming =
                shop.orders
                    .confirm_charged(received, order.id, &intent_id, order.total);
            confirming.await.unwrap()
        };
        assert_eq!(deliver().await, Some(Applied::Done));
        assert_eq!(shop.status(order.id).await, OrderStatus::Confirmed);
        // Its order waits for nothing any more: the careful way finds the receipt.
        assert_eq!(deliver().await, None);
        let again = shop
            .orders
            .settle_charge(received, order.id, &succeeded(&order))
            .await;
        assert_eq!(again.unwrap(), Applied::Duplicate);
        let types = ["orders.order.paid.v1", "orders.order.confirmed.v1"];
        for event_type in types {
            assert_eq!(shop.events(event_type, order.id).await, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn another_amount_is_not_confirmed() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.charging(bob).await;
        let short = eur(order.total.amount - 1);
        let confirming = shop
            .orders
            .confirm_charged(message(), order.id, "pi_short", short);
        assert_eq!(confirming.await.unwrap(), None);
        assert_eq!(shop.status(order.id).await, OrderStatus::PaymentPending);
    })
    .await;
}
