//! `kill -9` between any two steps, then a restart: every accepted order reaches its end, and the
//! auditor finds nothing wrong.

use std::collections::HashMap;

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{PAYMENT_METHODS, System, eventually, services};

const ORDERS: usize = 6;

/// When the process is killed, while orders are being placed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// An order has been seen in this state, or already at its end.
    Reached(&'static str),
    /// So many new states of orders have been seen.
    States(u32),
}

/// Places orders of every kind, kills the process meanwhile and starts it again. Who got no answer
/// asks again with the same key. Every order must end as its payment method says.
async fn crash(system: &mut System, moment: Moment) {
    let shop = system.shop().await;
    let mut watch = shop.watch().await;
    let orders: Vec<_> = (0..ORDERS)
        .map(|number| {
            let (payment_method, end) = PAYMENT_METHODS[number % PAYMENT_METHODS.len()];
            (format!("{moment:?}-{number}"), payment_method, end)
        })
        .collect();
    let place = orders
        .iter()
        .map(|(key, payment_method, _)| shop.try_place(key, payment_method));
    let kill = async {
        match moment {
            Moment::Reached(status) => watch.until(status).await,
            Moment::States(states) => watch.count(states, ORDERS).await,
        }
        system.victim.kill();
    };
    let (accepted, ()) = tokio::join!(join_all(place), kill);
    system.recover().await;

    let mut ends = HashMap::new();
    for ((key, payment_method, end), accepted) in orders.into_iter().zip(accepted) {
        let order_id = shop.place(&key, payment_method).await;
        if let Some(accepted) = accepted {
            assert_eq!(accepted, order_id, "an accepted order is gone");
        }
        ends.insert(order_id, end.to_owned());
    }
    let order_ids: Vec<_> = ends.keys().cloned().collect();
    assert_eq!(shop.ends(&order_ids).await, ends, "{moment:?}");
}

/// Kills in each state on the way.
async fn crash_in_every_state(system: &mut System) {
    for status in ["PLACED", "STOCK_RESERVED", "PAYMENT_PENDING", "PAID"] {
        crash(system, Moment::Reached(status)).await;
    }
    system.expect_green().await;
}

/// Kills at moments that the seed decides.
async fn crash_anywhere(system: &mut System, seed: u64) {
    let mut random = seed;
    for _ in 0..4 {
        // Knuth's MMIX generator; its upper bits are the random ones.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let states = 1 + (random >> 33) as u32 % (ORDERS as u32 * 4);
        crash(system, Moment::States(states)).await;
    }
    system.expect_green().await;
}

/// Kills at once when the order is accepted.
async fn crash_after_the_answer(system: &mut System) {
    let shop = system.shop().await;
    let order_id = shop.place("just-accepted", "pm_card_visa").await;
    system.victim.kill();
    system.recover().await;
    let ends = shop.ends(std::slice::from_ref(&order_id)).await;
    assert_eq!(ends[&order_id], "CONFIRMED");
    system.expect_green().await;
}

/// Kills while the provider, which has taken the money, does not answer and does not tell.
async fn crash_between_charge_and_answer(system: &mut System) {
    let silent = json!({ "time_out_next": 1, "webhooks": { "drop_next": 1 } });
    system.misbehave(silent).await;
    let shop = system.shop().await;
    let order_id = shop.place("charged-in-silence", "pm_card_visa").await;
    eventually("a charge", async || system.payments(&order_id).await > 0).await;
    assert_eq!(shop.status(&order_id).await, "PAYMENT_PENDING");
    let (code, report) = system.audit().await;
    assert_eq!(code, 1, "{report}");
    assert!(report.ends_with("audit: RED\n"), "{report}");

    system.victim.kill();
    system.recover().await;
    let ends = shop.ends(std::slice::from_ref(&order_id)).await;
    assert_eq!(ends[&order_id], "CONFIRMED");
    assert_eq!(system.payments(&order_id).await, 1, "charged twice");
    system.expect_green().await;
}

#[tokio::test]
async fn embedded_a_crash_in_any_state_loses_no_order() {
    let mut system = System::embedded().await;
    crash_in_every_state(&mut system).await;
    crash_after_the_answer(&mut system).await;
}

#[tokio::test]
async fn embedded_a_crash_at_a_random_moment_loses_no_order() {
    crash_anywhere(&mut System::embedded_with_a_provider().await, 1).await;
}

#[tokio::test]
async fn embedded_a_charge_whose_answer_was_lost_is_found_and_not_made_again() {
    crash_between_charge_and_answer(&mut System::embedded_with_a_provider().await).await;
}

#[tokio::test]
async fn distributed_a_crash_of_the_worker_in_any_state_loses_no_order() {
    let Some(urls) = services("crashes of the worker in any state") else {
        return;
    };
    let mut system = System::distributed(&urls).await;
    crash_in_every_state(&mut system).await;
    crash_after_the_answer(&mut system).await;
    system.remove().await;
}

#[tokio::test]
async fn distributed_a_crash_of_the_worker_at_a_random_moment_loses_no_order() {
    let Some(urls) = services("crashes of the worker at random moments") else {
        return;
    };
    let mut system = System::distributed(&urls).await;
    crash_anywhere(&mut system, 2).await;
    system.remove().await;
}

#[tokio::test]
async fn distributed_a_charge_whose_answer_was_lost_is_found_and_not_made_again() {
    let Some(urls) = services("a crash between charge and answer") else {
        return;
    };
    let mut system = System::distributed(&urls).await;
    crash_between_charge_and_answer(&mut system).await;
    system.remove().await;
}

#[tokio::test]
async fn distributed_orders_wait_for_a_worker() {
    let Some(urls) = services("orders without a worker") else {
        return;
    };
    let mut system = System::distributed(&urls).await;
    let shop = system.shop().await;
    system.victim.stop().await;
    let order_id = shop.place("nobody-is-there", "pm_card_visa").await;
    assert_eq!(shop.status(&order_id).await, "PLACED");
    system.recover().await;
    let ends = shop.ends(std::slice::from_ref(&order_id)).await;
    assert_eq!(ends[&order_id], "CONFIRMED");
    system.expect_green().await;
    system.remove().await;
}
