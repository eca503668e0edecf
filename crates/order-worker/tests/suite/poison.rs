//! Messages that no retry can help.

use chrono::DateTime;
use contracts::{
    Envelope, order_event,
    product_event::{self, ProductChanged},
};
use messaging::Message;
use orders::domain::OrderStatus;
use uuid::Uuid;

use crate::{databases::on_each_database, world::System};

async fn publish(system: &System, event_type: &str, body: impl Into<String>) -> Uuid {
    let message = Message {
        id: Uuid::now_v7(),
        event_type: event_type.to_owned(),
        aggregate_id: Uuid::now_v7(),
        body: body.into().into(),
        traceparent: None,
    };
    let id = message.id;
    for result in system.broker.publish(&[message]).await {
        result.unwrap();
    }
    id
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_set_aside_at_once_with_its_reason() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let poison = [
            ("orders.order.placed.v1", "{", "not a well-formed event"),
            ("orders.order.placed.v1", "{}", "not a well-formed event"),
            (
                "orders.order.placed.v2",
                "{}",
                "of a version that is not read here: orders.order.placed.v1 is",
            ),
            (
                "orders.payment.notice_received.v1",
                "[]",
                "not a well-formed event",
            ),
            (
                "orders.saga.step_overdue.v1",
                "null",
                "not a well-formed event",
            ),
            (
                "orders.saga.step_overdue.v3",
                "{}",
                "orders.saga.step_overdue.v1, orders.saga.step_overdue.v2",
            ),
        ];
        let mut ids = Vec::new();
        for (event_type, body, _) in poison {
            ids.push(publish(&system, event_type, body).await);
        }
        let letters = system.dead_letters(poison.len()).await;
        for ((_, _, reason), id) in poison.into_iter().zip(ids) {
            let mut of_message = letters.iter().filter(|letter| letter.message.id == id);
            let letter = of_message.next().expect("a dead letter");
            assert!(letter.reason.contains(reason), "{letter:?}");
            assert_eq!(letter.attempt, 1);
        }

        // The worker is none the worse for it, nor for an event that asks for no step.
        let changed = ProductChanged {
            product_id: Uuid::nil().into(),
            at: DateTime::UNIX_EPOCH,
        };
        let (source, name) = (order_event::SOURCE, product_event::CHANGED);
        let at = DateTime::UNIX_EPOCH;
        let event = Envelope::new(Uuid::nil(), source, name, "product", at, None, changed);
        publish(&system, name, event.encode().unwrap()).await;
        let product = system.product("Plumb bob, No. 1").await;
        let order = system.place(product, "pm_card_visa").await;
        system.reaches(order, OrderStatus::Confirmed).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}
