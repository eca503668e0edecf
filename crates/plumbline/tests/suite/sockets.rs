//! GraphQL over WebSocket against the whole system: the reference client follows an order, and what
//! breaks the protocol is refused.

use serde_json::{Value, json};
use testkit::graphql_ws::{GraphqlWsClient, Identity};
use testkit::http::send;
use testkit::ws::{GraphqlSocket, PROTOCOL, Received};

use crate::support::{Identity as Caller, PASSWORD, System};

const FOLLOW: &str = "subscription($id: ID!) { orderUpdated(orderId: $id) { id status } }";
const FEED: &str = "subscription { orderFeed { id status } }";

/// The statuses that a client is told of an order, to the end of its subscription.
async fn to_the_end(client: &mut GraphqlWsClient, field: &str) -> Vec<String> {
    let mut statuses = Vec::new();
    loop {
        let event = client.event().await;
        match event["event"].as_str() {
            Some("next") => {
                let status = &event["result"]["data"][field]["status"];
                statuses.push(status.as_str().unwrap().to_owned());
            }
            Some("complete") => return statuses,
            Some("connected" | "pong") => {}
            _ => panic!("{event}"),
        }
    }
}

#[tokio::test]
async fn the_reference_client_follows_an_order_by_token_and_by_cookie() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let test = "an order followed by npm graphql-ws";
    if let Some(mut client) = GraphqlWsClient::start(test) {
        let cookie = browser_cookie(&system, &ada.email).await;
        let base_url = system.gateway.base_url();
        for identity in [
            Identity::Token(&ada.access_token),
            Identity::Cookie(&cookie),
        ] {
            let order = ada.place(&system.product().await, "pm_card_visa").await;
            client.target(base_url, identity).await;
            client
                .subscribe("1", FOLLOW, json!({ "id": order["id"] }))
                .await;
            let statuses = to_the_end(&mut client, "orderUpdated").await;
            assert_eq!(statuses.last().unwrap(), "CONFIRMED", "{statuses:?}");
            client.until("closed").await;
        }
    }
    system.stop().await;
}

/// The cookie in which a browser keeps its access token.
async fn browser_cookie(system: &System, email: &str) -> String {
    let credentials = json!({
        "email": email, "password": PASSWORD, "refresh_token_transport": "cookie",
    });
    let request = system
        .auth
        .request(reqwest::Method::POST, "/auth/v1/sessions")
        .header("sec-fetch-site", "same-origin")
        .json(&credentials);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let cookies = answer.headers().get_all("set-cookie").iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let access = cookies.find(|cookie| cookie.starts_with("__Host-plumbline_access="));
    access.unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_admin_sees_everybodys_orders_move() {
    let system = System::start().await;
    let admin = system.token_of(Caller::Admin).await.unwrap();
    let mut feed = GraphqlSocket::open(system.gateway.base_url(), &admin).await;
    feed.subscribe("feed", FEED, json!({})).await;
    feed.subscribe("probe", "{ me { id } }", json!({})).await;
    while !matches!(feed.receive().await, Received::Complete { .. }) {}
    let mut placed = Vec::new();
    for name in ["ada", "bob"] {
        let customer = system.customer(name).await;
        let order = customer
            .place(&system.product().await, "pm_card_visa")
            .await;
        placed.push(order["id"].as_str().unwrap().to_owned());
    }
    let mut confirmed = Vec::new();
    while confirmed.len() < placed.len() {
        let told: Value = feed.next_data().await;
        if told["orderFeed"]["status"] == "CONFIRMED" {
            confirmed.push(told["orderFeed"]["id"].as_str().unwrap().to_owned());
        }
    }
    placed.sort();
    confirmed.sort();
    assert_eq!(confirmed, placed);
    feed.close().await;
    system.stop().await;
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection_with_its_code() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let base_url = system.gateway.base_url();
    let operation = json!({"query": "subscription { myOrders { id } }"});
    let subscribe = json!({"type": "subscribe", "id": "1", "payload": operation}).to_string();
    let init = json!({"type": "connection_init"}).to_string();
    for (messages, code) in [
        (&["{"][..], 4400),
        (&[&subscribe, &subscribe], 4409),
        (&[&init], 4429),
    ] {
        let mut socket = GraphqlSocket::open(base_url, &ada.access_token).await;
        for message in messages {
            socket.send(message).await;
        }
        assert_eq!(socket.close_code().await, code, "{messages:?}");
    }
    for (message, code) in [(subscribe.as_str(), 4401), (&init, 4403)] {
        let socket = GraphqlSocket::connect(base_url, PROTOCOL).await;
        let mut socket = socket.unwrap();
        socket.send(message).await;
        assert_eq!(socket.close_code().await, code, "{message}");
    }
    let mut silent = GraphqlSocket::connect(base_url, PROTOCOL).await.unwrap();
    assert_eq!(silent.close_code().await, 4408);
    let legacy = GraphqlSocket::connect(base_url, "graphql-ws").await;
    assert_eq!(legacy.unwrap_err(), 400);
    system.stop().await;
}

#[tokio::test]
async fn the_cookie_opens_nothing_but_sockets() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let cookie = browser_cookie(&system, &ada.email).await;
    // The cookie is for handshakes alone: no other request is made by it.
    let request = system
        .gateway
        .request(reqwest::Method::GET, "/v1/orders?first=1")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "same-origin");
    let _ = send(request).await.expect_status(401);
    system.stop().await;
}
