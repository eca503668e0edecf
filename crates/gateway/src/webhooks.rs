//! Webhooks of the payment provider: verified, stored, answered. The worker does the rest.

use actix_web::{HttpRequest, HttpResponse, web};
use contracts::ErrorCode;
use kernel::SharedClock;
use orders::{Orders, PaymentNotice};
use payment::{WebhookEvent, signature};
use secrecy::SecretString;
use service_kit::json::{JsonLimit, read};
use service_kit::problem::{Problem, chain};
use service_kit::routes::{Access, RouteTable};

/// The longest webhook, in bytes. Stripe's are a few kilobytes.
const BODY_LIMIT: JsonLimit = JsonLimit(256 * 1024);

/// What the endpoint needs.
#[derive(Clone)]
pub(crate) struct Webhooks {
    pub(crate) orders: Orders,
    pub(crate) clock: SharedClock,
    /// Several while they are being changed.
    pub(crate) secrets: Vec<SecretString>,
}

/// Mounts `/webhooks/stripe`.
pub(crate) fn configure(webhooks: &Webhooks, config: &mut web::ServiceConfig) {
    routes()
        .app_data(web::Data::new(webhooks.clone()))
        .configure(config);
}

pub(crate) fn routes() -> RouteTable {
    RouteTable::new("").post("/webhooks/stripe", Access::Client, stripe)
}

/// The signature is over the raw body, so that is what is read; and nothing of it is believed
/// before the signature is verified. A repeated event is stored once and answered the same.
async fn stripe(
    request: HttpRequest,
    body: web::Payload,
    webhooks: web::Data<Webhooks>,
) -> Result<HttpResponse, Problem> {
    let body = read(body.into_inner(), BODY_LIMIT).await?;
    verify(&request, &body, &webhooks).inspect_err(|_| count("refused"))?;
    let event = WebhookEvent::parse(&body).map_err(|error| {
        count("malformed");
        Problem::new(ErrorCode::MalformedJson).cause(error)
    })?;
    let Some(intent_id) = event.intent_id() else {
        count("ignored");
        return Ok(HttpResponse::NoContent().finish());
    };
    let notice = PaymentNotice {
        provider_event_id: event.id.clone(),
        event_type: event.event_type.clone(),
        intent_id: intent_id.to_owned(),
    };
    // Not answered with 2xx, it is sent again.
    let is_new = webhooks
        .orders
        .receive_payment_notice(&notice)
        .await
        .map_err(|error| {
            count("failed");
            if error.is_transient() {
                Problem::unavailable(error)
            } else {
                Problem::internal(error)
            }
        })?;
    count(if is_new { "stored" } else { "repeated" });
    Ok(HttpResponse::NoContent().finish())
}

fn verify(request: &HttpRequest, body: &[u8], webhooks: &Webhooks) -> Result<(), Problem> {
    let refused = || Problem::new(ErrorCode::WebhookSignatureInvalid);
    let header = request
        .headers()
        .get(signature::HEADER)
        .and_then(|value| value.to_str().ok());
    let header = header.ok_or_else(refused)?;
    signature::verify(header, body, &webhooks.secrets, webhooks.clock.now()).map_err(|error| {
        tracing::warn!(cause = %chain(&error), "a webhook was refused");
        refused().cause(error)
    })
}

fn count(outcome: &'static str) {
    metrics::counter!("plumbline_webhooks_total", "outcome" => outcome).increment(1);
}
