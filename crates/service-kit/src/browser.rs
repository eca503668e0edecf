//! Whether a page of ours made a browser send a request.
//!
//! A browser adds cookies to whatever request, so a route that takes one makes sure that a page of
//! ours sent it (OWASP CSRF Prevention Cheat Sheet: Fetch Metadata, with `Origin` where a browser
//! has none).

use actix_web::{HttpRequest, http::header::ORIGIN};
use url::Url;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The origin of our own pages, as browsers write it. The default is no page's.
#[derive(Clone, Debug, Default)]
pub struct OwnOrigin(Option<String>);

impl OwnOrigin {
    #[must_use]
    pub fn of(public_url: &Url) -> Self {
        Self(Some(public_url.origin().ascii_serialization()))
    }

    /// Whether a page of this origin sent the request. Whoever says neither is no browser of today,
    /// and has no business with cookies.
    #[must_use]
    pub fn sent(&self, request: &HttpRequest) -> bool {
        let header = |name: &str| request.headers().get(name);
        match (header(SEC_FETCH_SITE), header(ORIGIN.as_str()), &self.0) {
            (Some(site), _, _) => site == "same-origin",
            (None, Some(origin), Some(own)) => origin == own.as_str(),
            (None, Some(_) | None, _) => false,
        }
    }
}
