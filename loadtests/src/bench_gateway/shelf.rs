//! What the benchmark asks for: a page full of orders that have come to their end.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::BenchGatewayError;
use crate::failure::Failure;
use crate::shop::catalogue::Catalogue;
use crate::shop::client::ShopClient;
use crate::shop::shopper::Shopper;

/// One more than a page, so that there is a next one.
const ORDERS: usize = 21;
const LINES: usize = 3;
/// How long the orders may take to their end.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

const PLACE: &str = "mutation($input: PlaceOrderInput!) {
    placeOrder(input: $input) { order { id } userErrors { code } } }";
const STATUSES: &str = "{ me { id } orders(first: 21) { edges { node { id status } } } }";

/// Names of what is there.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) customer: String,
    pub(super) order: String,
    pub(super) product: String,
}

#[derive(Deserialize)]
struct Placed {
    #[serde(rename = "placeOrder")]
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    order: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Orders {
    me: Id,
    orders: Connection,
}

#[derive(Deserialize)]
struct Connection {
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    node: Order,
}

#[derive(Deserialize)]
struct Order {
    id: String,
    status: String,
}

/// Places the orders, and waits until nothing happens to them any more.
pub(super) async fn fill(
    client: &ShopClient,
    shopper: &Shopper,
) -> Result<Shelf, BenchGatewayError> {
    let catalogue = Catalogue::read(client).await?;
    let mut random = rand::rng();
    let mut product = None;
    for _ in 0..ORDERS {
        let mut lines: Vec<Value> = Vec::new();
        while lines.len() < LINES {
            let piece = catalogue.take_piece(&mut random);
            let piece = piece.ok_or_else(|| {
                Failure::UnexpectedAnswer("the shop has too little stock".to_owned())
            })?;
            if lines.iter().all(|line| line["productId"] != piece.id) {
                lines.push(json!({"productId": piece.id, "quantity": 1}));
                product.get_or_insert_with(|| piece.id.clone());
            }
        }
        let input = json!({
            "idempotencyKey": Uuid::new_v4().to_string(),
            "lines": lines,
            "paymentMethod": "pm_card_visa",
        });
        let placed: Placed = client
            .graphql(
                Some(&shopper.access_token()),
                PLACE,
                json!({ "input": input }),
            )
            .await?;
        placed
            .payload
            .order
            .ok_or_else(|| Failure::UnexpectedAnswer("an order was refused".to_owned()))?;
    }
    let begun = Instant::now();
    loop {
        let token = shopper.access_token();
        let page: Orders = client.graphql(Some(&token), STATUSES, json!({})).await?;
        let orders: Vec<Order> = page
            .orders
            .edges
            .into_iter()
            .map(|edge| edge.node)
            .collect();
        let open = orders.iter().filter(|order| order.status != "CONFIRMED");
        let open = open.count();
        if let ([.., first], Some(product), 0) = (orders.as_slice(), &product, open) {
            return Ok(Shelf {
                customer: page.me.id,
                order: first.id.clone(),
                product: product.clone(),
            });
        }
        if begun.elapsed() > PATIENCE {
            return Err(BenchGatewayError::Orders(open));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
