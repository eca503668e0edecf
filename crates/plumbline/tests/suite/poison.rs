//! A message that nobody can handle.

use messaging::Message;
use uuid::Uuid;

use crate::support::{System, eventually};

/// It is put aside at once, the orders go on, and the test that left it behind fails.
#[tokio::test]
#[should_panic(expected = "dead letters: [")]
async fn a_poisonous_message_is_put_aside_and_orders_go_on() {
    let system = System::start().await;
    let poison = Message {
        id: Uuid::now_v7(),
        event_type: "orders.order.placed.v1".to_owned(),
        aggregate_id: Uuid::now_v7(),
        body: "{\"not\": \"an event\"}".into(),
        traceparent: None,
    };
    system.publish(poison.clone()).await;
    let letter = eventually("a dead letter", async || system.dead_letters().await.pop()).await;
    assert_eq!((letter.message.id, letter.attempt), (poison.id, 1));
    assert!(
        letter.reason.contains("not a well-formed event"),
        "{letter:?}"
    );

    let ada = system.customer("ada").await;
    let order = ada.place(&system.product().await, "pm_card_visa").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    system.stop().await;
}
