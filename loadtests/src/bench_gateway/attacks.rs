//! What hostile documents cost the gateway: the processor time of refusing each.

use serde::Serialize;
use serde_json::{Value, json};

use super::connection::Connection;
use super::{BenchGatewayError, Server, cases};
use crate::processes::usage_of;

/// Processor time comes in hundredths of a second: so many refusals tell a fifth of a millisecond.
const TIMES: u32 = 50;

/// What one refusal took.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    pub attack: &'static str,
    pub status: u16,
    /// The first error's.
    pub code: String,
    /// Of the gateway, for each, in milliseconds.
    pub cpu_ms: f64,
}

fn documents() -> Vec<(&'static str, String)> {
    let doubling = |levels: usize| {
        let fragments = (0..levels).map(|level| {
            let next = level + 1;
            format!("fragment F{level} on Query {{ ...F{next} ...F{next} }}")
        });
        let fragments: String = fragments.collect();
        format!("{{ ...F0 }} {fragments} fragment F{levels} on Query {{ me {{ id }} }}")
    };
    let aliases: String = (0..2_000)
        .map(|number| format!("a{number}: __typename "))
        .collect();
    let overflow =
        "{ orders(first: 4294967296) { edges { node { lines(first: 4294967296) { id } } } } }";
    vec![
        ("30 fragments that each spread the next twice", doubling(30)),
        (
            "90 such fragments, as many as the limits let in",
            doubling(90),
        ),
        (
            "a fragment cycle",
            "{ ...A } fragment A on Query { ...A }".to_owned(),
        ),
        (
            "50,000 levels",
            "{a".repeat(50_000) + "{a}" + &"}".repeat(50_000),
        ),
        ("30 levels", "{a".repeat(30) + "{a}" + &"}".repeat(30)),
        ("2,000 aliases", format!("{{ {aliases} }}")),
        (
            "5,000 directives",
            format!("{{ __typename {} }}", "@skip(if: false) ".repeat(5_000)),
        ),
        (
            "20,000 duplicate fields",
            format!("{{ {} }}", "__typename ".repeat(20_000)),
        ),
        (
            "20,000 validation errors",
            format!("{{ me {{ {} }} }}", "x ".repeat(20_000)),
        ),
        (
            "990 validation errors, as many as the limits let in",
            format!("{{ me {{ {} }} }}", "x ".repeat(990)),
        ),
        ("320 unknown arguments, as many as the limits let in", {
            let arguments: String = (0..320).map(|number| format!("a{number}: 1 ")).collect();
            format!("{{ product({arguments}) {{ id }} }}")
        }),
        ("a cost that would overflow", overflow.to_owned()),
        ("a text that never ends", "\"".repeat(14_000)),
    ]
}

/// Sends each attack.
pub(super) async fn run(gateway: &Server) -> Result<Vec<Refused>, BenchGatewayError> {
    let mut refused = Vec::new();
    for (attack, document) in documents() {
        refused.push(measure(gateway, attack, &json!({ "query": document })).await?);
    }
    let list: Vec<u32> = (0..14_000).collect();
    let query = "query($ids: [Int!]!) { product(id: $ids) { id } }";
    let body = json!({"query": query, "variables": {"ids": list}});
    refused.push(measure(gateway, "a list of 14,000 values", &body).await?);
    Ok(refused)
}

async fn measure(
    gateway: &Server,
    attack: &'static str,
    body: &Value,
) -> Result<Refused, BenchGatewayError> {
    let network = |source| BenchGatewayError::Network {
        case: attack,
        source,
    };
    let gone = |_| BenchGatewayError::Process(gateway.process.name.clone());
    let request = cases::post(gateway, "", body);
    let before = usage_of(gateway.process.pid).map_err(gone)?.cpu_s;
    let (mut status, mut code) = (0, String::new());
    for _ in 0..TIMES {
        // A body that is too long is not read to its end, and ends the connection.
        let mut connection = Connection::open(&gateway.url).await.map_err(network)?;
        let (found, answer) = connection.ask(&request).await.map_err(network)?;
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let first = &answer["errors"][0]["extensions"]["code"];
        (status, code) = (found, first.as_str().unwrap_or_default().to_owned());
        if answer.get("data").is_some() || code.is_empty() {
            return Err(BenchGatewayError::Answer {
                case: attack,
                problem: format!("was not refused: {found} {answer}"),
            });
        }
    }
    let cpu = usage_of(gateway.process.pid).map_err(gone)?.cpu_s - before;
    Ok(Refused {
        attack,
        status,
        code,
        cpu_ms: cpu * 1_000.0 / f64::from(TIMES),
    })
}
