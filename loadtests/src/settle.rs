//! After the load: every accepted order must reach `CONFIRMED`, within a bounded wait.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::shop::client::json;
use crate::shop::{OrderStatus, PlacedOrder, Shop};

const READS_AT_ONCE: usize = 8;
const BETWEEN_ROUNDS: Duration = Duration::from_millis(100);

/// What became of the accepted orders.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OrderOutcomes {
    pub placed: u64,
    pub confirmed: u64,
    /// How many ended otherwise, or had not ended in time, by status or failure code.
    pub not_confirmed: BTreeMap<String, u64>,
    /// From the end of the load until the last order was seen to have ended, in milliseconds.
    pub waited_ms: u64,
}

/// Reads the placed orders until each has ended, or `limit` is over.
pub async fn settle(shop: &Shop, limit: Duration) -> OrderOutcomes {
    let start = Instant::now();
    let mut pending = shop.placed_orders();
    let mut outcomes = OrderOutcomes {
        placed: pending.len() as u64,
        ..OrderOutcomes::default()
    };
    loop {
        let last_round = start.elapsed() >= limit;
        let mut still_open = Vec::new();
        let reads = pending
            .into_iter()
            .map(|order| async { (status(shop, &order).await, order) });
        let mut answers = stream::iter(reads).buffer_unordered(READS_AT_ONCE);
        while let Some((status, order)) = answers.next().await {
            match status {
                Ok(OrderStatus::Confirmed) => outcomes.confirmed += 1,
                Ok(OrderStatus::Failed(status)) => outcomes.count(status),
                Ok(OrderStatus::Open(status)) if last_round => outcomes.count(status),
                Err(failure) if last_round => outcomes.count(failure.code()),
                Ok(OrderStatus::Open(_)) | Err(_) => still_open.push(order),
            }
        }
        drop(answers);
        outcomes.waited_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if still_open.is_empty() {
            return outcomes;
        }
        pending = still_open;
        tokio::time::sleep(BETWEEN_ROUNDS).await;
    }
}

impl OrderOutcomes {
    fn count(&mut self, reason: String) {
        *self.not_confirmed.entry(reason).or_default() += 1;
    }
}

async fn status(shop: &Shop, order: &PlacedOrder) -> Result<OrderStatus, Failure> {
    let request = shop
        .client
        .gateway(Method::GET, &format!("/v1/orders/{}", order.id))
        .bearer_auth(shop.shopper(order.shopper).access_token());
    let answer: OrderAnswer = json(request, StatusCode::OK).await?;
    Ok(OrderStatus::from(answer.status.as_str()))
}

#[derive(Deserialize)]
struct OrderAnswer {
    status: String,
}
