//! One span, one log line and one set of metrics a request; the request id in both directions.

use std::{future::Future, time::Instant};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use trace_context::Activity;
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use crate::problem::{Problem, chain};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: &str = "traceparent";
/// A client's own request id is kept if it is no longer than this.
const MAX_REQUEST_ID: usize = 64;

tokio::task_local! {
    static CURRENT_REQUEST_ID: String;
}

/// The id of the request that this task answers: what the client sent as `X-Request-Id`, or one
/// of ours.
#[must_use]
pub fn current_request_id() -> Option<String> {
    CURRENT_REQUEST_ID.try_with(Clone::clone).ok()
}

/// Middleware for `actix_web::middleware::from_fn`; the outermost. Handlers and extractors that
/// fail are answers by then; a middleware further in answers too, rather than returning an error.
pub async fn record<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let request_id = request_id(&request);
    let span = span(&request, &request_id);
    let method = request.method().to_string();
    // The request must not be cloned before it is routed: actix-web panics then.
    let activity = Activity::begin(&format!("{method} {}", request.path()));
    let answered = with_request_id(request_id.clone(), next.call(request)).instrument(span.clone());
    let mut response = activity.run(answered).await?;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    span.in_scope(|| finish(&response, &method, started));
    Ok(response)
}

async fn with_request_id<F: Future>(request_id: String, future: F) -> F::Output {
    CURRENT_REQUEST_ID.scope(request_id, future).await
}

fn request_id(request: &ServiceRequest) -> String {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    match given {
        Some(id)
            if (1..=MAX_REQUEST_ID).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) =>
        {
            id.to_owned()
        }
        _ => Uuid::new_v4().simple().to_string(),
    }
}

fn span(request: &ServiceRequest, request_id: &str) -> Span {
    let span = tracing::info_span!(
        "http.request",
        otel.name = %format_args!("{} {}", request.method(), request.path()),
        otel.kind = "server",
        http.request.method = %request.method(),
        url.path = request.path(),
        http.route = Empty,
        http.response.status_code = Empty,
        request_id,
    );
    let traceparent = request
        .headers()
        .get(TRACEPARENT)
        .and_then(|value| value.to_str().ok());
    trace_context::continue_trace(&span, traceparent);
    span
}

fn finish<B>(response: &ServiceResponse<B>, method: &str, started: Instant) {
    let status = response.status();
    let elapsed = started.elapsed();
    // Labelled by pattern, never by path: the number of time series stays bounded.
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    Span::current().record("http.route", route.as_str());
    Span::current().record("http.response.status_code", status.as_u16());
    let cause = response.response().error().map(describe);
    if status.is_server_error() {
        tracing::error!(status = status.as_u16(), ?elapsed, cause, "request failed");
    } else {
        tracing::debug!(
            status = status.as_u16(),
            ?elapsed,
            cause,
            "request answered"
        );
    }
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("plumbline_http_requests_total", &labels).increment(1);
    metrics::histogram!("plumbline_http_request_seconds", &labels).record(elapsed.as_secs_f64());
}

fn describe(error: &Error) -> String {
    error
        .as_error::<Problem>()
        .map_or_else(|| error.to_string(), |problem| chain(problem))
}
