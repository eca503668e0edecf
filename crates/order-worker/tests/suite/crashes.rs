//! The process dies between two steps, and is started again over the same database.

use futures_util::StreamExt;
use kernel::OrderId;
use orders::domain::OrderStatus;
use payment_double::Behaviour;

use crate::{
    databases::on_each_database,
    world::{System, World},
};

async fn assert_finished_in_the_next_life(world: &World, order: OrderId) {
    let system = world.boot().await;
    system.reaches(order, OrderStatus::Confirmed).await;
    assert_eq!(system.steps(order).await.len(), 5, "a step was taken twice");
    assert_eq!(world.intents(order).await.len(), 1);
    world.assert_audit_is_green(&system.orders).await;
    system.end().await;
}

/// Places an order and waits for its event of this type.
async fn place_and_await(system: &System, event_type: &str) -> OrderId {
    let product = system.product("Plumb bob, No. 1").await;
    let mut events = system.broker.broadcast(event_type);
    let order = system.place(product, "pm_card_visa").await;
    events.next().await.expect("the broker is there");
    order
}

#[tokio::test]
async fn an_order_survives_a_crash_after_any_step() {
    on_each_database(async |world| {
        for event_type in [
            "orders.order.placed.v1",
            "orders.order.stock_reserved.v1",
            "orders.order.payment_pending.v1",
            "orders.order.paid.v1",
            "orders.order.confirmed.v1",
        ] {
            eprintln!("crash at {event_type}");
            let system = world.boot().await;
            let order = place_and_await(&system, event_type).await;
            system.crash().await;
            assert_finished_in_the_next_life(world, order).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_charge_is_not_repeated_after_a_crash_before_it_was_recorded() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(Behaviour {
            answer_delay_ms: 60_000,
            ..Behaviour::default()
        });
        let product = system.product("Plumb bob, No. 1").await;
        let order = system.place(product, "pm_card_visa").await;
        world.provider_has(order, 1).await;
        system.crash().await;

        world.provider_behaves(Behaviour::default());
        assert_finished_in_the_next_life(world, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_right_after_the_answer_loses_nothing() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let order = system.place(product, "pm_card_visa").await;
        system.crash().await;
        assert_finished_in_the_next_life(world, order).await;
    })
    .await;
}

#[tokio::test]
async fn an_orderly_stop_loses_nothing_either() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = place_and_await(&system, "orders.order.stock_reserved.v1").await;
        system.end().await;
        assert_finished_in_the_next_life(world, order).await;
    })
    .await;
}
