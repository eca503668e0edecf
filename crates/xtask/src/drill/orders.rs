//! The load of a drill: orders that several customers place, at times that do not depend on the
//! answers. Who gets no answer asks again with the same key until there is one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::customers::{Customer, expect};
use super::http::Request;
use super::random::Random;
use crate::command::Failure;

/// How long a customer asks again.
const PATIENCE: Duration = Duration::from_secs(90);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Doublings of the pause between two tries.
const DOUBLINGS: u32 = 4;

/// How an order is paid, and how it ends then.
pub type Payment = (&'static str, &'static str);

pub const CARD: Payment = ("pm_card_visa", "CONFIRMED");
pub const DECLINED: Payment = ("pm_card_chargeDeclined", "CANCELLED");
/// Told by webhook only.
pub const BANK_DEBIT: Payment = ("pm_usBankAccount_success", "CONFIRMED");

/// What the customers do.
#[derive(Debug, Clone)]
pub struct Load {
    pub orders: usize,
    pub per_second: u32,
    /// Drawn from with equal chances.
    pub payments: &'static [Payment],
    /// Of a hundred orders, so many are sent by a client that is gone before the answer comes.
    pub hang_ups: u32,
    /// Nobody asks twice: whatever is not answered well is a failure. Who has an order reads it.
    pub is_strict: bool,
}

/// One order that a customer wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub customer: Customer,
    pub key: String,
    body: Value,
    /// How it must end, unless there was not enough stock.
    pub end: &'static str,
    at: Duration,
    hangs_up: bool,
    is_strict: bool,
    seed: u64,
}

/// What was asked for, and the order that came of it.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub wanted: Wanted,
    pub order_id: String,
}

impl Load {
    /// The same orders for the same seed and the same shop. `name` keeps the keys of two drills
    /// apart.
    pub fn plan(
        &self,
        name: &str,
        seed: u64,
        customers: &[Customer],
        products: &[String],
    ) -> Vec<Wanted> {
        let mut random = Random::new(seed);
        let orders = 0..self.orders as u32;
        let plan = orders.map(|number| {
            let (payment_method, end) = random.one_of(self.payments);
            let first = random.below(products.len() as u32);
            // An order names a product once.
            let lines = 1 + random.below(2.min(products.len() as u32));
            let lines: Vec<_> = (0..lines)
                .map(|line| {
                    let product = &products[(first + line) as usize % products.len()];
                    json!({ "product_id": product, "quantity": 1 + random.below(3) })
                })
                .collect();
            Wanted {
                customer: customers[random.below(customers.len() as u32) as usize].clone(),
                key: format!("{name}-{seed}-{number}"),
                body: json!({ "lines": lines, "payment_method": payment_method }),
                end,
                at: Duration::from_secs(1) * number / self.per_second.max(1),
                hangs_up: random.below(100) < self.hang_ups,
                is_strict: self.is_strict,
                seed: seed.wrapping_add(u64::from(number)),
            }
        });
        plan.collect()
    }
}

/// Places all orders, each at its time, at one gateway after another, and counts those that were
/// accepted.
///
/// # Errors
/// When an order is refused, or never answered.
pub async fn place(
    orders: Vec<Wanted>,
    gateways: Vec<String>,
    accepted: &watch::Sender<usize>,
) -> Result<Vec<Accepted>, Failure> {
    let begun = Instant::now();
    let gateways: Arc<[String]> = gateways.into();
    let mut placing = JoinSet::new();
    for (number, wanted) in orders.into_iter().enumerate() {
        let gateways = Arc::clone(&gateways);
        placing.spawn(async move {
            sleep_until(begun + wanted.at).await;
            wanted.place(&gateways, number).await
        });
    }
    let mut all = Vec::new();
    while let Some(order) = placing.join_next().await {
        all.push(order.map_err(std::io::Error::other)??);
        accepted.send_replace(all.len());
    }
    Ok(all)
}

impl Wanted {
    /// Asks, and asks again, until the order is accepted.
    ///
    /// # Errors
    /// When it is refused, or never answered.
    pub async fn place(self, gateways: &[String], first: usize) -> Result<Accepted, Failure> {
        let mut random = Random::new(self.seed);
        let begun = Instant::now();
        let mut last = String::from("the client hung up");
        for attempt in 0.. {
            let gateway = &gateways[(first + attempt as usize) % gateways.len()];
            if attempt == 0 && self.hangs_up {
                // An error is one more reason to ask again.
                let _ = self.request(gateway).send_and_hang_up().await;
            } else {
                match self.request(gateway).send().await {
                    Ok(answer) if answer.status == 201 => {
                        let order_id = super::customers::text(&answer.body, "id")?;
                        if self.is_strict {
                            self.read(gateway, &order_id).await?;
                        }
                        return Ok(Accepted {
                            wanted: self,
                            order_id,
                        });
                    }
                    Ok(answer) if is_refused(answer.status) => {
                        let (key, status, body) = (&self.key, answer.status, answer.body);
                        return Err(Failure::Drill(format!(
                            "order {key} was refused: {status} {body}"
                        )));
                    }
                    Ok(answer) => last = format!("{} {}", answer.status, answer.body),
                    Err(error) => last = error.to_string(),
                }
            }
            if self.is_strict || begun.elapsed() > PATIENCE {
                break;
            }
            let pause = FIRST_PAUSE * 2_u32.pow(DOUBLINGS.min(attempt));
            sleep(pause / 2 + pause * random.below(100) / 100).await;
        }
        Err(Failure::Drill(format!(
            "order {} was never answered: {last}",
            self.key
        )))
    }

    async fn read(&self, gateway: &str, order_id: &str) -> Result<(), Failure> {
        let path = format!("/v1/orders/{order_id}");
        let request = Request::get(gateway, &path).bearer(&self.customer.token);
        let answer = request.send().await.map_err(|error| {
            Failure::Drill(format!("order {order_id} could not be read: {error}"))
        });
        expect(200, "a read of an order", answer?).map(drop)
    }

    fn request<'a>(&'a self, gateway: &'a str) -> Request<'a> {
        Request {
            idempotency_key: Some(&self.key),
            ..Request::post(gateway, "/v1/orders", &self.body).bearer(&self.customer.token)
        }
    }
}

/// Whether asking again can't help. An earlier try that is still being answered (409) and too many
/// requests (429) pass.
fn is_refused(status: u16) -> bool {
    (400..500).contains(&status) && status != 409 && status != 429
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Vec<String> {
        let load = Load {
            orders: 20,
            per_second: 10,
            payments: &[CARD, DECLINED, BANK_DEBIT],
            hang_ups: 50,
            is_strict: false,
        };
        let customer = |email: &str| Customer {
            email: email.to_owned(),
            token: String::new(),
        };
        let customers = ["a", "b"].map(customer);
        let products = ["p", "q", "r"].map(str::to_owned);
        let orders = load.plan("test", seed, &customers, &products);
        assert_eq!(orders[19].at, Duration::from_millis(1900));
        orders.iter().map(|wanted| format!("{wanted:?}")).collect()
    }

    #[test]
    fn the_seed_decides_who_orders_what_and_when() {
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn only_what_can_never_succeed_is_refused() {
        for (status, refused) in [
            (400, true),
            (422, true),
            (409, false),
            (429, false),
            (503, false),
        ] {
            assert_eq!(is_refused(status), refused, "{status}");
        }
    }
}
