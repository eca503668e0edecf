//! The body of a request, before anything in it is read.

use actix_web::{HttpRequest, http::header, web};
use service_kit::json::{JsonLimit, read};

use super::answer::Rejection;
use super::code::Code;
use super::http::HttpConfig;

/// JSON in UTF-8, uncompressed.
pub(super) fn check_content_type(request: &HttpRequest) -> Result<(), Rejection> {
    let unsupported = |message| Rejection::refused(415, Code::UnsupportedMediaType, message);
    let value = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut parts = value.unwrap_or_default().split(';').map(str::trim);
    if !parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
    {
        return Err(unsupported("Send the request as application/json."));
    }
    let is_other_charset = |parameter: &str| {
        let charset = parameter
            .split_once('=')
            .filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
        charset.is_some_and(|(_, value)| !value.trim_matches('"').eq_ignore_ascii_case("utf-8"))
    };
    if parts.any(is_other_charset) {
        return Err(unsupported("JSON is sent in UTF-8."));
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported("Send the body uncompressed."));
    }
    Ok(())
}

/// All of it, up to the limits of `config`.
pub(super) async fn read_body(
    request: &HttpRequest,
    body: web::Payload,
    config: &HttpConfig,
) -> Result<web::Bytes, Rejection> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || {
        let message = format!("The body is larger than {} bytes.", config.body_bytes);
        Rejection::refused(413, Code::PayloadTooLarge, message)
    };
    if declared.is_some_and(|length| length > config.body_bytes) {
        return Err(too_large());
    }
    let reading = read(body.into_inner(), JsonLimit(config.body_bytes));
    match tokio::time::timeout(config.body_timeout, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(problem)) if problem.code() == contracts::ErrorCode::PayloadTooLarge => {
            Err(too_large())
        }
        Ok(Err(_)) => Err(Rejection::refused(
            400,
            Code::BadRequest,
            "The body could not be read.",
        )),
        Err(_) => Err(Rejection::refused(
            408,
            Code::Timeout,
            "The body took too long to arrive.",
        )),
    }
}
