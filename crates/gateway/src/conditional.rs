//! Answers that clients may keep, and ask for again only if they have changed (RFC 9110 §13.1.2,
//! RFC 9111).

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentType, ETAG, HeaderValue, IF_NONE_MATCH, VARY},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use service_kit::problem::Problem;
use sha2::{Digest, Sha256};

/// Of the hash, which nobody but its maker has to withstand: 128 bits.
const ETAG_BYTES: usize = 16;

/// Who may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// It is the same for everybody: caches on the way may serve it for a second, as our own does.
    Everybody,
    /// It depends on the caller: only they keep it, and ask each time whether it is still true.
    Caller,
}

impl Audience {
    pub(crate) const fn cache_control(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Everybody => "public, max-age=1",
            Self::Caller => "private, no-cache",
        })
    }
}

/// 200 with `body` as JSON, or 304 if the client has just that.
pub(crate) fn answer(
    request: &HttpRequest,
    body: &impl Serialize,
    audience: Audience,
) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_vec(body).map_err(Problem::internal)?;
    let etag = etag(&body);
    let is_known = knows(request, &etag);
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((ETAG, etag));
    response.insert_header((CACHE_CONTROL, audience.cache_control()));
    if audience == Audience::Caller {
        response.insert_header((VARY, "Authorization"));
    }
    Ok(if is_known {
        response.finish()
    } else {
        response.content_type(ContentType::json()).body(body)
    })
}

/// A strong validator: another byte is another tag.
pub(crate) fn etag(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..ETAG_BYTES]))
}

/// Whether `If-None-Match` names the tag, by weak comparison.
pub(crate) fn knows(request: &HttpRequest, etag: &str) -> bool {
    let lines = request.headers().get_all(IF_NONE_MATCH);
    let tags = lines.filter_map(|line| line.to_str().ok());
    tags.flat_map(|line| line.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_tag_is_known_among_others_weak_or_by_a_star() {
        let tag = etag(b"body");
        assert_ne!(tag, etag(b"bodz"));
        let known = |sent: &str| {
            let request = TestRequest::default().insert_header((IF_NONE_MATCH, sent));
            knows(&request.to_http_request(), &tag)
        };
        for sent in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            assert!(known(&sent), "{sent}");
        }
        for sent in ["", "\"other\"", tag.trim_matches('"')] {
            assert!(!known(sent), "{sent}");
        }
    }
}
