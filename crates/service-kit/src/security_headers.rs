//! The headers that every answer carries, errors included (OWASP HTTP Headers Cheat Sheet).

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
    middleware::Next,
    web,
};

/// An answer of an API is data: a browser that is shown it loads and runs nothing. Pages replace
/// this with a policy of their own.
const API_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// App data: whether to promise HTTPS for a year. Off in embedded mode, which speaks HTTP.
#[derive(Clone, Copy, Debug)]
pub struct StrictTransportSecurity(pub bool);

/// Middleware for `actix_web::middleware::from_fn`.
pub async fn add(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let strict = request
        .app_data::<web::Data<StrictTransportSecurity>>()
        .is_some_and(|strict| strict.get_ref().0);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: HeaderValue| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    default(CONTENT_SECURITY_POLICY, API_POLICY);
    default(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    default(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    default(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    default(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if strict {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        default(STRICT_TRANSPORT_SECURITY, year);
    }
    Ok(response)
}
