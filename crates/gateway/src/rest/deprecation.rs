//! What is still served and has a successor: its answers say so.

use actix_web::{
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue, LINK},
    middleware::Next,
};

/// RFC 9745: since 2026-11-24.
const DEPRECATION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("deprecation"),
    HeaderValue::from_static("@1795478400"),
);
/// RFC 8594: until a year later.
const SUNSET: (HeaderName, HeaderValue) = (
    HeaderName::from_static("sunset"),
    HeaderValue::from_static("Wed, 24 Nov 2027 00:00:00 GMT"),
);

/// Whether a newer version of this resource is there.
pub(super) fn is_deprecated(path: &str) -> bool {
    let below = path.strip_prefix("/v1/products");
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Middleware around `/v1`: marks every answer of a deprecated resource, problems too.
pub(super) async fn announce(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let successor = is_deprecated(request.path()).then(|| successor(request.path()));
    let mut response = next.call(request).await?;
    if let Some(successor) = successor {
        let headers = response.headers_mut();
        for (name, value) in [DEPRECATION, SUNSET] {
            headers.insert(name, value);
        }
        headers.append(LINK, successor);
    }
    Ok(response)
}

fn successor(path: &str) -> HeaderValue {
    let path = path.replacen("/v1/", "/v2/", 1);
    let link = format!("<{path}>; rel=\"successor-version\", </docs/>; rel=\"deprecation\"");
    // The path of a request is visible ASCII; if one were not, the link would be left out.
    HeaderValue::from_str(&link).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_the_first_version_have_a_successor() {
        assert!(is_deprecated("/v1/products"));
        assert!(is_deprecated("/v1/products/42"));
        assert!(!is_deprecated("/v1/orders") && !is_deprecated("/v1/productsx"));
        assert!(!is_deprecated("/v2/products"));
        let link = successor("/v1/products/42");
        assert!(link.to_str().unwrap().starts_with("</v2/products/42>; "));
    }
}
