//! What must be true when a drill is over: nothing that was accepted is lost, doubled or open, and
//! the auditor agrees.

use std::collections::HashMap;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::customers::{Customer, expect, text};
use super::http::Request;
use super::orders::Accepted;
use crate::command::Failure;
use crate::load::system::System;

/// An outcome that is not known is asked for again after a minute, and a lost answer may have to
/// be missed three times before that.
const PATIENCE: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_millis(100);
const END_STATES: [&str; 5] = [
    "CONFIRMED",
    "REJECTED",
    "CANCELLED",
    "REFUNDED",
    "REFUND_FAILED",
];

/// Waits for the end of every order, and says which one is wrong.
///
/// # Errors
/// When an order is gone, at another end than its payment leads to, or never at one.
pub async fn ends(system: &System, orders: &[Accepted], may_reject: bool) -> Result<(), Failure> {
    let begun = Instant::now();
    let gateways = system.gateway_urls();
    for (number, order) in orders.iter().enumerate() {
        let gateway = &gateways[number % gateways.len()];
        loop {
            let status = status(gateway, order).await?;
            match status.as_deref() {
                Some(end) if end == order.wanted.end => break,
                Some("REJECTED") if may_reject => break,
                Some(end) if END_STATES.contains(&end) => {
                    return Err(Failure::Drill(format!(
                        "order {} ended as {end} and not as {}",
                        order.order_id, order.wanted.end
                    )));
                }
                Some(_) | None if begun.elapsed() < PATIENCE => sleep(POLL).await,
                other => {
                    return Err(Failure::Drill(format!(
                        "order {} is still {}",
                        order.order_id,
                        other.unwrap_or("not readable")
                    )));
                }
            }
        }
    }
    Ok(())
}

/// `None` when the gateway can't tell now.
async fn status(gateway: &str, order: &Accepted) -> Result<Option<String>, Failure> {
    let path = format!("/v1/orders/{}", order.order_id);
    let request = Request::get(gateway, &path).bearer(&order.wanted.customer.token);
    match request.send().await {
        Ok(answer) if answer.status == 200 => Ok(Some(text(&answer.body, "status")?)),
        Ok(answer) if answer.status == 404 => Err(Failure::Drill(format!(
            "order {} was accepted and is gone",
            order.order_id
        ))),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Sends every request once more: each must lead to the same order.
///
/// # Errors
/// When one leads to another.
pub async fn repeat(system: &System, orders: &[Accepted]) -> Result<(), Failure> {
    let gateways = system.gateway_urls();
    for (number, order) in orders.iter().enumerate() {
        let again = order.wanted.clone().place(&gateways, number).await?;
        if again.order_id != order.order_id {
            return Err(Failure::Drill(format!(
                "the key {} led to the orders {} and {}",
                order.wanted.key, order.order_id, again.order_id
            )));
        }
    }
    Ok(())
}

/// Compares the customers' orders with what they have placed in all drills on this system.
///
/// # Errors
/// When there are more or fewer.
pub async fn count(
    system: &System,
    customers: &[Customer],
    placed: &HashMap<String, usize>,
) -> Result<(), Failure> {
    for customer in customers {
        let mut listed = 0;
        let mut path = "/v1/orders?first=100".to_owned();
        loop {
            let request = Request::get(&system.gateway_url, &path).bearer(&customer.token);
            let page = expect(200, "the orders", request.send().await?)?;
            listed += page["items"].as_array().map_or(0, Vec::len);
            let Some(next) = page["page"]["next"].as_str() else {
                break;
            };
            path = format!("/v1/orders?first=100&after={next}");
        }
        let expected = placed.get(&customer.email).copied().unwrap_or_default();
        if listed != expected {
            return Err(Failure::Drill(format!(
                "{} placed {expected} orders and has {listed}",
                customer.email
            )));
        }
    }
    Ok(())
}

/// What the auditor said.
#[derive(Debug)]
pub struct Audit {
    pub is_green: bool,
    pub report: String,
}

impl Audit {
    /// Runs `plumbline audit`.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn run(system: &System) -> Result<Self, Failure> {
        let mut command = tokio::process::Command::from(system.command(&["audit"]));
        let Output {
            status,
            stdout,
            stderr,
        } = command.kill_on_drop(true).output().await?;
        let report = [stdout, stderr].concat();
        Ok(Self {
            is_green: status.success(),
            report: String::from_utf8_lossy(&report).into_owned(),
        })
    }

    /// The invariants that do not hold.
    pub fn broken(&self) -> Vec<&str> {
        let lines = self.report.lines().map(str::trim);
        lines.filter(|line| line.starts_with("BROKEN")).collect()
    }
}

/// Audits until the auditor is green: the last messages may still be on their way.
///
/// # Errors
/// When it never is.
pub async fn green(system: &System) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let audit = Audit::run(system).await?;
        if audit.is_green {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE / 2 {
            return Err(Failure::Drill(format!(
                "the audit is red:\n{}",
                audit.report
            )));
        }
        sleep(POLL).await;
    }
}

/// Audits until the auditor says that this invariant is broken.
///
/// # Errors
/// When it never does.
pub async fn red(system: &System, invariant: &str) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let audit = Audit::run(system).await?;
        if audit.broken().iter().any(|line| line.contains(invariant)) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE / 4 {
            let report = audit.report;
            return Err(Failure::Drill(format!(
                "the auditor does not see the breach:\n{report}"
            )));
        }
        sleep(POLL).await;
    }
}

/// A product of which there is only so much.
///
/// # Errors
/// When the gateway refuses.
pub async fn scarce_product(system: &System, pieces: usize, key: &str) -> Result<String, Failure> {
    let body = serde_json::json!({
        "email": "admin@example.com",
        "password": crate::load::setup::DEMO_PASSWORD,
    });
    let request = Request::post(&system.auth_url, "/auth/v1/sessions", &body);
    let session = expect(201, "the administrator's log-in", request.send().await?)?;
    let token = text(&session, "access_token")?;
    let query = "mutation($input: CreateProductInput!) {
        createProduct(input: $input) { product { id } userErrors { message } } }";
    let body = serde_json::json!({
        "query": query,
        "variables": { "input": {
            "idempotencyKey": key,
            "name": format!("Scarce {key}"),
            "price": { "amount": 100, "currency": "EUR" },
            "stock": pieces,
        } },
    });
    let request = Request::post(&system.gateway_url, "/graphql", &body).bearer(&token);
    let answer: Value = expect(200, "a new product", request.send().await?)?;
    let id = answer["data"]["createProduct"]["product"]["id"].as_str();
    id.map(str::to_owned)
        .ok_or_else(|| Failure::Drill(format!("no new product: {answer}")))
}
