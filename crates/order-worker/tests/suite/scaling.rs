//! Several relays and several workers at once on one database: nothing takes effect twice, and the
//! events of each order are told in their order.

use std::collections::HashMap;

use contracts::{Envelope, order_event::OrderTransitioned};
use futures_util::{StreamExt, stream};
use kernel::OrderId;
use messaging::Broadcast;
use orders::domain::OrderStatus;
use testkit::environment;

use crate::{
    databases::on_each_database,
    world::{System, World},
};

const RELAYS: usize = 3;
const WORKERS: usize = 4;
const ORDERS: usize = 48;

#[tokio::test]
async fn three_relays_and_four_workers_do_nothing_twice_and_keep_each_orders_order() {
    on_each_database(async |world| {
        for url in broker_urls() {
            eprintln!("over {url}");
            let system = world.boot_many(&url, RELAYS, WORKERS).await;
            work_off_many(world, &system).await;
            system.broker.delete_topology().await.unwrap();
            system.end().await;
        }
    })
    .await;
}

async fn work_off_many(world: &World, system: &System) {
    let product = system.product("Plumb bob, No. 1").await;
    let before = system.available(product).await;
    let mut events = system.broker.broadcast("orders.order.#");
    let mut epochs = events.epochs();
    epochs.wait_for(|epoch| *epoch > 0).await.unwrap();
    let placing = (0..ORDERS).map(|_| system.place(product, "pm_card_visa"));
    let orders: Vec<_> = stream::iter(placing).buffered(4).collect().await;

    let told = told_until_confirmed(&mut events, ORDERS).await;
    for order in &orders {
        // A message may come twice; what comes for the first time comes in order.
        assert_eq!(told[order], [1, 2, 3, 4, 5], "the events of {order}");
        system.reaches(*order, OrderStatus::Confirmed).await;
        assert_eq!(system.steps(*order).await.len(), 5);
        assert_eq!(world.intents(*order).await.len(), 1);
    }
    assert_eq!(system.available(product).await, before - ORDERS as i64);
    world.assert_audit_is_green(&system.orders).await;
}

/// The versions of each order in the order in which they were first told.
async fn told_until_confirmed(events: &mut Broadcast, orders: usize) -> HashMap<OrderId, Vec<i32>> {
    let mut told: HashMap<OrderId, Vec<i32>> = HashMap::new();
    let mut confirmed = 0;
    while confirmed < orders {
        let message = events.next().await.expect("the broker is there");
        let event = Envelope::<OrderTransitioned>::decode(&message.body).unwrap();
        let versions = told.entry(event.data.order_id).or_default();
        if !versions.contains(&event.data.version) {
            versions.push(event.data.version);
            confirmed += usize::from(event.data.version == 5);
        }
    }
    told
}

/// The broker inside the process, and RabbitMQ if there is one.
fn broker_urls() -> Vec<String> {
    let mut urls = vec!["memory:".to_owned()];
    let url = std::env::var(environment::AMQP_URL).ok();
    match url.filter(|url| !url.is_empty()) {
        Some(url) => urls.push(url),
        None => eprintln!(
            "LEFT OUT: this test over RabbitMQ: {} is not set",
            environment::AMQP_URL
        ),
    }
    urls
}
