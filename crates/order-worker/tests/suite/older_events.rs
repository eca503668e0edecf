//! Events that an older release wrote.

use kernel::{Clock, OrderId, Role};
use messaging::{RelayWaker, outbox, outbox::OutboxEvent};
use orders::{Orders, domain::OrderStatus};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    world::{World, place, product, someone},
};

/// Byte for byte what the release before version 2 left in the outbox, but for the ids.
const STEP_OVERDUE_V1: &str = r#"{"specversion":"1.0","id":"01980000-0000-7000-8000-000000000001","source":"/plumbline/orders","type":"orders.saga.step_overdue.v1","subject":"ORDER","time":"2026-11-20T09:15:27.123456Z","datacontenttype":"application/json","data":{"order_id":"ORDER"}}"#;

/// An order whose own event was lost, so that nothing but the sweep moves it.
async fn stranded(world: &World) -> (Orders, OrderId) {
    let orders = world.orders(RelayWaker::default()).await;
    let product = product(&orders, "Plumb bob, No. 1").await;
    let order = place(&orders, &someone(Role::Customer), product, "pm_card_visa").await;
    let writer = orders.database().writer();
    let lose = testkit::statement::own("DELETE FROM outbox");
    writer.execute_unprepared(&lose).await.unwrap();
    (orders, order)
}

#[tokio::test]
async fn an_event_of_the_version_before_that_lay_in_the_outbox_is_applied() {
    on_each_database(async |world| {
        let (orders, order) = stranded(world).await;
        let now = world.clock.now();
        let event = OutboxEvent {
            id: Uuid::now_v7(),
            aggregate_type: "order",
            aggregate_id: order.into(),
            event_type: "orders.saga.step_overdue.v1".to_owned(),
            body: STEP_OVERDUE_V1.replace("ORDER", &order.to_string()),
            traceparent: None,
            available_at: now,
        };
        let writer = orders.database().writer();
        outbox::append(writer, now, event).await.unwrap();
        orders.database().close().await.unwrap();

        let system = world.boot().await;
        system.reaches(order, OrderStatus::Confirmed).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}
