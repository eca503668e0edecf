//! What callers may use, by cost and by number, over every transport.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use gateway::LimitsConfig;
use serde_json::{Value, json};

use crate::support::{Reply, Server, Settings, Shop, Socket};

fn limits(cost: u32, orders: u32) -> LimitsConfig {
    let limit = |number| NonZeroU32::new(number).unwrap();
    LimitsConfig {
        cost_per_user: limit(cost),
        cost_per_client: limit(cost),
        orders_per_user: limit(orders),
    }
}

async fn server(cost: u32) -> Server {
    let limits = limits(cost, 1);
    Server::start_with(Settings {
        limits,
        ..Settings::default()
    })
    .await
}

/// `r` and `t` of the header `RateLimit`.
fn left(reply: &Reply, name: &str) -> (u32, u32) {
    let header = reply.header("ratelimit");
    let mut parts = header.split(';');
    assert_eq!(
        parts.next(),
        Some(format!("\"{name}\"").as_str()),
        "{reply:?}"
    );
    let mut number = |key| {
        let part = parts.next().and_then(|part| part.strip_prefix(key));
        part.unwrap().parse::<u32>().unwrap()
    };
    (number("r="), number("t="))
}

#[actix_web::test]
async fn operations_are_paid_by_cost_until_there_is_nothing_left() {
    let server = server(60).await;
    let query = json!({"query": "{ items(first: 3) { number item { number } } }"});
    let ask = async || Reply::to(server.post(&query)).await;
    let first = ask().await;
    let cost = first.body["extensions"]["cost"]["requested"]
        .as_u64()
        .unwrap() as u32;
    assert_eq!(left(&first, "cost-per-client"), (60 - cost, cost));
    assert_eq!(
        first.header("ratelimit-policy"),
        "\"cost-per-client\";q=60;w=60"
    );

    for paid in 2..=60 / cost {
        assert_eq!(left(&ask().await, "cost-per-client").0, 60 - paid * cost);
    }
    let refused = ask().await;
    refused.refuses(429, "TOO_MANY_REQUESTS");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=i64::from(cost)).contains(&wait), "{wait}");
    assert_eq!(left(&refused, "cost-per-client"), (0, wait as u32));
    assert_eq!(
        refused.header("ratelimit-policy"),
        "\"cost-per-client\";q=60;w=60"
    );
    let told = &refused.body["errors"][0]["extensions"]["retryAfter"];
    assert_eq!(told, &json!(wait));

    // Somebody who has logged in there is counted for themselves.
    let request = server.post(&query);
    let user = Reply::to(request.header("authorization", server.tokens.valid())).await;
    assert_eq!(left(&user, "cost-per-user").0, 60 - cost);

    server.clock.advance(TimeDelta::seconds(wait));
    assert_eq!(ask().await.status, 200);
}

#[actix_web::test]
async fn what_is_refused_is_paid_too() {
    let server = server(60).await;
    let cycle = json!({"query": "{ ...A } fragment A on Query { ...A }"});
    let bad_token = server.post(&json!({"query": "{ hello }"}));
    let bad_token = bad_token.header("authorization", "Bearer nonsense");
    let bad_token = Reply::to(bad_token).await;
    bad_token.refuses(401, "UNAUTHENTICATED");
    for _ in 0..2 {
        let refused = Reply::to(server.post(&cycle)).await;
        refused.refuses(400, "FRAGMENT_CYCLE");
        assert_ne!(refused.header("ratelimit"), "");
    }
    for document in ["{ hello }", "nonsense"] {
        let request = server.post(&json!({ "query": document }));
        Reply::to(request).await.refuses(429, "TOO_MANY_REQUESTS");
    }
}

#[actix_web::test]
async fn rest_and_graphql_are_paid_from_one_budget() {
    let shop = Shop::open_with(limits(1_000, 100)).await;
    let product = shop.product().await;
    let path = format!("/v1/products/{product}");
    let rest = Reply::to(shop.rest(1, "GET", &path)).await;
    let (after_rest, _) = left(&rest, "cost-per-user");
    assert_eq!(
        rest.header("ratelimit-policy"),
        "\"cost-per-user\";q=1000;w=60"
    );
    let graphql = shop.ask(1, "{ me { id } }", json!({})).await;
    let (after_both, _) = left(&graphql, "cost-per-user");
    assert!(after_both < after_rest && after_rest < 1_000);
    // Problems are answers as well.
    let missing = Reply::to(shop.rest(1, "GET", "/v1/products/none")).await;
    assert!(left(&missing, "cost-per-user").0 < after_both);

    let mut reply = missing;
    for _ in 0..10 {
        reply = Reply::to(shop.rest(1, "GET", "/v1/orders")).await;
    }
    reply.is_problem(429, "too-many-requests");
    assert_ne!(reply.header("retry-after"), "");
    assert_eq!(left(&reply, "cost-per-user").0, 0);
    let refused = shop.ask(1, "{ me { id } }", json!({})).await;
    refused.refuses(429, "TOO_MANY_REQUESTS");
    assert_eq!(shop.ask(2, "{ me { id } }", json!({})).await.status, 200);
}

const PLACE: &str = "mutation($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { id } userErrors { code } }
}";

#[actix_web::test]
async fn orders_have_a_quota_of_their_own() {
    let shop = Shop::open_with(limits(100_000, 3)).await;
    let product = shop.product().await;
    let input = |key: &str| {
        json!({"input": {
            "idempotencyKey": key,
            "lines": [{"productId": product, "quantity": 1}],
            "paymentMethod": "pm_card_visa",
        }})
    };
    for key in ["1", "2"] {
        let placed = shop.ask(1, PLACE, input(key)).await;
        assert!(
            placed.body["data"]["placeOrder"]["order"].is_object(),
            "{placed:?}"
        );
    }
    let _ = shop.place(1, &product).await;

    let refused = shop.ask(1, PLACE, input("4")).await;
    assert_eq!((refused.status, refused.code()), (200, "TOO_MANY_REQUESTS"));
    let error = &refused.body["errors"][0]["extensions"];
    assert_eq!(error["problem"], "too-many-requests");
    assert_eq!(error["retryAfter"], 20);
    let body: Value = json!({
        "lines": [{"product_id": product, "quantity": 1}],
        "payment_method": "pm_card_visa",
    });
    let request = shop.rest(1, "POST", "/v1/orders").json(&body);
    let refused = Reply::to(request.header("idempotency-key", "5")).await;
    refused.is_problem(429, "too-many-requests");
    assert_eq!(
        refused.header("ratelimit-policy"),
        "\"orders-per-user\";q=3;w=60"
    );

    let others = Reply::to(shop.rest(1, "GET", "/v1/orders")).await;
    assert_eq!(others.body["items"].as_array().unwrap().len(), 3);
    let _ = shop.place(2, &product).await;
    shop.clock.advance(TimeDelta::seconds(20));
    let _ = shop.place(1, &product).await;
}

#[actix_web::test]
async fn operations_over_a_socket_are_paid_as_well() {
    let server = server(60).await;
    let mut socket = server.socket().await;
    let mut answers = Vec::new();
    for id in 0..=60 {
        socket.subscribe(&id.to_string(), "{ hello }").await;
        let answer = socket.receive().await;
        if answer["type"] == "error" {
            answers.push(answer);
            break;
        }
        assert_eq!(answer["type"], "next", "{answer}");
        assert_eq!(socket.receive().await["type"], "complete");
    }
    let error = &answers[0]["payload"][0]["extensions"];
    assert_eq!(error["code"], "TOO_MANY_REQUESTS", "{answers:?}");
    assert!(error["retryAfter"].as_u64().unwrap() >= 1);
}

#[actix_web::test]
async fn nobody_opens_connections_without_end() {
    let server = server(60).await;
    let mut opened = Vec::new();
    let refused = loop {
        match Socket::try_open(&server.address, Some("graphql-transport-ws")).await {
            Ok(socket) => opened.push(socket),
            Err(error) => break error,
        }
    };
    assert!((1..=60).contains(&opened.len()), "{}", opened.len());
    assert!(refused.to_string().contains("429"), "{refused}");
}
