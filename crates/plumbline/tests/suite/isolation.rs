//! Nobody sees another's order, and nobody at all without logging in.

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::ws::{GraphqlSocket, PROTOCOL, Received};

use crate::support::System;

const ORDER: &str = "query($id: ID!) { order(id: $id) { id } }";
const ORDERS: &str = "{ orders(first: 10) { edges { node { id } } } }";
const WATCH: &str = "subscription($id: ID!) { orderUpdated(orderId: $id) { id } }";

#[tokio::test]
async fn anothers_order_is_as_unknown_as_one_that_never_was() {
    let system = System::start().await;
    let (ada, eve) = (system.customer("ada").await, system.customer("eve").await);
    let order = ada.place(&system.product().await, "pm_card_visa").await;
    let of_ada = order["id"].as_str().unwrap();
    let never_was = "01890000-0000-7000-8000-000000000000";
    for id in [of_ada, never_was] {
        let answer = graphql(&eve.gateway, ORDER, json!({ "id": id })).await;
        assert_eq!(answer["data"], json!({ "order": null }));
        assert_eq!(code(&answer), "NOT_FOUND");

        let mut socket = GraphqlSocket::open(eve.gateway.base_url(), &eve.access_token).await;
        socket.subscribe("1", WATCH, json!({ "id": id })).await;
        assert_eq!(refusal(socket.receive().await), "NOT_FOUND");
        socket.close().await;
    }
    assert_eq!(eve.order_count().await, 0);
    let listed = eve.gateway.graphql(ORDERS, json!({})).await;
    assert_eq!(listed["orders"]["edges"], json!([]));
    assert_eq!(ada.order_count().await, 1);
    system.stop().await;
}

#[tokio::test]
async fn a_socket_without_an_access_token_watches_nothing() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let order = ada.place(&system.product().await, "pm_card_visa").await;
    let base_url = system.gateway.base_url();
    let mut forged = GraphqlSocket::connect(base_url, PROTOCOL).await.unwrap();
    let answer = forged
        .init(json!({"Authorization": "Bearer nonsense"}))
        .await;
    assert!(
        matches!(
            answer,
            Received::Closed {
                code: 4401 | 4403,
                ..
            }
        ),
        "{answer:?}"
    );

    let mut anonymous = GraphqlSocket::connect(base_url, PROTOCOL).await.unwrap();
    match anonymous.init(json!({})).await {
        Received::Ack(_) => {
            anonymous
                .subscribe("1", WATCH, json!({ "id": order["id"] }))
                .await;
            assert_eq!(refusal(anonymous.receive().await), "UNAUTHENTICATED");
        }
        other => assert!(
            matches!(
                other,
                Received::Closed {
                    code: 4401 | 4403,
                    ..
                }
            ),
            "{other:?}"
        ),
    }
    system.stop().await;
}

async fn graphql(client: &Client, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    client
        .post("/graphql", &body)
        .await
        .expect_status(200)
        .json()
}

fn code(answer: &Value) -> &str {
    let code = answer["errors"][0]["extensions"]["code"].as_str();
    code.unwrap_or_else(|| panic!("no error code: {answer:#}"))
}

fn refusal(received: Received) -> String {
    let error = match received {
        Received::Error { errors, .. } => errors[0].clone(),
        Received::Next { payload, .. } => payload["errors"][0].clone(),
        other => panic!("not a refusal: {other:?}"),
    };
    error["extensions"]["code"].as_str().unwrap().to_owned()
}
