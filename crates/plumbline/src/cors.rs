//! Which pages of other origins may call the API from a browser (WHATWG Fetch, CORS).
//!
//! No credentials are shared: a page sends its access token itself. The refresh cookie stays with
//! our own pages.

use std::time::Duration;

use actix_cors::Cors;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};

/// How long a browser may remember that it was allowed to ask.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(600);

const SENT: [HeaderName; 7] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    IF_MATCH,
    IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("x-request-id"),
];
const SHOWN: [HeaderName; 11] = [
    ETAG,
    LINK,
    LOCATION,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    HeaderName::from_static("deprecation"),
    HeaderName::from_static("idempotent-replayed"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("sunset"),
    HeaderName::from_static("x-request-id"),
];

/// Answers the preflights of these origins and lets them read the answers.
pub(crate) fn allow(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(SENT)
        .expose_headers(SHOWN)
        .max_age(PREFLIGHT_LIFETIME.as_secs() as usize);
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
