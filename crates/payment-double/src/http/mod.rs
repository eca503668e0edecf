//! The routes, and what stands before all of them: the secret key and the switches.

mod access;
mod control;
mod error;
mod form;
mod intents;
mod refunds;

use actix_web::{HttpRequest, HttpResponse, middleware::from_fn, web};

pub(crate) use access::Access;
pub(crate) use error::ApiError;
use form::Form;

use crate::double::{Answered, Call};

const MAX_BODY_BYTES: usize = 64 * 1024;

/// Stripe's limit.
const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
        .app_data(
            web::JsonConfig::default()
                .error_handler(|error, _| ApiError::invalid(error.to_string()).into()),
        )
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| ApiError::invalid(error.to_string()).into()),
        )
        .route("/health/live", web::get().to(HttpResponse::Ok))
        .service(
            web::scope("/v1")
                .wrap(from_fn(access::misbehave))
                .wrap(from_fn(access::require_key))
                .route("/payment_intents", web::post().to(intents::create))
                .route("/payment_intents", web::get().to(intents::list))
                .route("/payment_intents/{id}", web::get().to(intents::retrieve))
                .route("/refunds", web::post().to(refunds::create))
                .route("/refunds", web::get().to(refunds::list))
                .default_service(web::to(unknown_route)),
        )
        .service(
            web::scope("/double")
                .wrap(from_fn(access::require_key))
                .route("/behaviour", web::post().to(control::set_behaviour))
                .route("/behaviour", web::get().to(control::behaviour))
                .route("/ledger", web::get().to(control::ledger))
                .default_service(web::to(unknown_route)),
        );
}

async fn unknown_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (method, path) = (request.method().as_str(), request.path());
    Err(ApiError::unknown_route(method, path))
}

/// What identifies a call that changes something. `form` is all of its parameters.
fn call(request: &HttpRequest, form: &Form) -> Result<Call, ApiError> {
    let header = |name| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let idempotency_key = header("Idempotency-Key");
    if let Some(key) = &idempotency_key
        && (key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_LENGTH)
    {
        return Err(ApiError::invalid(
            "Idempotency-Key takes 1 to 255 characters",
        ));
    }
    Ok(Call {
        idempotency_key,
        request: format!("{} {}?{form}", request.method(), request.path()),
        traceparent: header("traceparent"),
    })
}

async fn answer(access: &Access, answered: Answered) -> HttpResponse {
    if answered.times_out {
        return access.never_answer().await;
    }
    let status = actix_web::http::StatusCode::from_u16(answered.status).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    if answered.is_replay {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response
        .content_type("application/json")
        .body(answered.body)
}
