//! What Stripe doesn't have: the switches, and a look into the ledger.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::{Behaviour, double::Double, ledger::Intent, state::WebhookCounts};

const DEFAULT_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 10_000;

/// Turns all switches at once and answers their positions.
pub(super) async fn set_behaviour(
    double: web::Data<Double>,
    behaviour: web::Json<Behaviour>,
) -> Result<HttpResponse, ApiError> {
    let behaviour = behaviour.into_inner();
    behaviour
        .validate()
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    double.set_behaviour(behaviour.clone());
    Ok(HttpResponse::Ok().json(behaviour))
}

pub(super) async fn behaviour(double: web::Data<Double>) -> HttpResponse {
    HttpResponse::Ok().json(double.behaviour())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LedgerQuery {
    order_id: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct LedgerView {
    /// Newest first.
    intents: Vec<Intent>,
    webhooks: WebhookCounts,
}

pub(super) async fn ledger(
    double: web::Data<Double>,
    query: web::Query<LedgerQuery>,
) -> HttpResponse {
    let LedgerQuery { order_id, limit } = query.into_inner();
    let limit = limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    let is_asked_for = |intent: &&Intent| {
        order_id.is_none() || intent.metadata.get("order_id") == order_id.as_ref()
    };
    let intents = double.with_ledger(|ledger| {
        let intents = ledger.intents().filter(is_asked_for);
        intents.take(limit).cloned().collect()
    });
    HttpResponse::Ok().json(LedgerView {
        intents,
        webhooks: double.webhook_counts(),
    })
}
