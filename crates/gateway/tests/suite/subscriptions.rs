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

const FEED: &str = "subscription { orderFeed { id number status total { amount } } }";

/// Waits until what was subscribed to before stands: what is asked later is answered later.
async fn standing(socket: &mut Socket) {
    socket.subscribe("probe", "{ me { id } }").await;
    while socket.receive().await["type"] != "complete" {}
}

/// The id and status that a feed tells next.
async fn fed(socket: &mut Socket) -> (Value, Value) {
    let mut message = socket.receive().await;
    let order = &mut message["payload"]["data"]["orderFeed"];
    assert!(order["number"].is_string() && order["total"]["amount"].is_i64());
    (order["id"].take(), order["status"].take())
}

#[actix_web::test]
async fn an_admin_watches_everybodys_orders() {
    let shop = Shop::open().await;
    let admin = shop
        .tokens
        .with_role(Uuid::from_u128(99), "admin", "plumbline");
    let mut socket = shop.socket_by(&admin).await;
    socket.subscribe("feed", FEED).await;
    standing(&mut socket).await;
    let product = shop.product().await;
    let orders = [shop.place(1, &product).await, shop.place(2, &product).await];
    for order in &orders {
        let told = fed(&mut socket).await;
        assert_eq!(told, (order["id"].clone(), json!("PLACED")));
    }
    shop.reserve_stock(&orders[1]).await;
    let told = fed(&mut socket).await;
    assert_eq!(told, (orders[1]["id"].clone(), json!("STOCK_RESERVED")));
}

#[actix_web::test]
async fn nobody_but_an_admin_has_the_feed() {
    let shop = Shop::open().await;
    for role in ["customer", "support"] {
        let token = shop.tokens.with_role(Uuid::from_u128(9), role, "plumbline");
        let mut socket = shop.socket_by(&token).await;
        socket.subscribe("feed", FEED).await;
        let message = socket.receive().await;
        assert_eq!(message["type"], "error", "{message}");
        let code = &message["payload"][0]["extensions"]["code"];
        assert_eq!(code, "FORBIDDEN", "{message}");
    }
}

#[actix_web::test]
async fn a_burst_comes_down_to_the_newest_state() {
    const BURST: usize = 2_000;
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let mut socket = shop.socket(1).await;
    socket.subscribe("1", &watch(&order)).await;
    assert_eq!(status(&mut socket).await, "PLACED");
    let mut states = ["STOCK_RESERVED", "PAYMENT_PENDING"].repeat(BURST / 2);
    states.push("CONFIRMED");
    shop.tell(&order, 1, &states).await;
    let mut told = 0;
    while status(&mut socket).await != "CONFIRMED" {
        told += 1;
    }
    let complete = json!({"type": "complete", "id": "1"});
    assert_eq!(socket.receive().await, complete);
    assert!(told < BURST, "a burst is not told one by one");
}

#[actix_web::test]
async fn old_news_is_no_news() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let mut socket = shop.socket(1).await;
    socket.subscribe("1", &watch(&order)).await;
    assert_eq!(status(&mut socket).await, "PLACED");
    let states = ["STOCK_RESERVED", "PAYMENT_PENDING", "PAID", "CONFIRMED"];
    shop.tell(&order, 1, &states[..3]).await;
    while status(&mut socket).await != "PAID" {}
    // The broker delivers at least once, and not always in order.
    shop.tell(&order, 1, &states[..2]).await;
    shop.tell(&order, 1, &states).await;
    assert_eq!(status(&mut socket).await, "CONFIRMED");
}
