//! Orders watched over WebSocket: the events of a real relay and broker.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Shop, Socket};

fn watch(order: &Value) -> String {
    let id = order["id"].as_str().unwrap();
    format!("subscription {{ orderUpdated(orderId: \"{id}\") {{ id status }} }}")
}

async fn status(socket: &mut Socket) -> String {
    let message = socket.receive().await;
    let status = message["payload"]["data"]["orderUpdated"]["status"].as_str();
    status
        .unwrap_or_else(|| panic!("no status: {message}"))
        .to_owned()
}

#[actix_web::test]
async fn an_order_is_watched_from_where_it_is_to_its_end() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.sold_out_product().await).await;
    let mut socket = shop.socket(1).await;
    socket.subscribe("1", &watch(&order)).await;
    assert_eq!(status(&mut socket).await, "PLACED");
    shop.reserve_stock(&order).await;
    assert_eq!(status(&mut socket).await, "REJECTED");
    assert_eq!(
        socket.receive().await,
        json!({"type": "complete", "id": "1"})
    );
    // One that has ended is told once.
    socket.subscribe("2", &watch(&order)).await;
    assert_eq!(status(&mut socket).await, "REJECTED");
    assert_eq!(
        socket.receive().await,
        json!({"type": "complete", "id": "2"})
    );
}

#[actix_web::test]
async fn a_customer_watches_all_of_their_orders_and_nobody_elses() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let mut socket = shop.socket(1).await;
    // The subscription stands when the second one is answered: one connection, one order.
    socket
        .subscribe(
            "mine",
            "subscription { myOrders { id status total { amount } } }",
        )
        .await;
    socket.subscribe("probe", "{ me { id } }").await;
    while socket.receive().await["id"] != "probe" {}
    socket.receive().await;
    shop.place(2, &product).await;
    let order = shop.place(1, &product).await;
    let message = socket.receive().await;
    let seen = &message["payload"]["data"]["myOrders"];
    assert_eq!(
        (&seen["id"], &seen["status"]),
        (&order["id"], &json!("PLACED")),
        "{message}"
    );
    shop.reserve_stock(&order).await;
    let message = socket.receive().await;
    assert_eq!(
        message["payload"]["data"]["myOrders"]["status"],
        "STOCK_RESERVED"
    );
}

#[actix_web::test]
async fn an_order_of_someone_else_can_not_be_watched() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let mut socket = shop.socket(2).await;
    for order in [
        order,
        json!({"id": Uuid::from_u128(1)}),
        json!({"id": "nonsense"}),
    ] {
        socket.subscribe("1", &watch(&order)).await;
        let message = socket.receive().await;
        assert_eq!(message["type"], "error", "{message}");
        assert_eq!(
            message["payload"][0]["extensions"]["code"], "NOT_FOUND",
            "{message}"
        );
    }
}
