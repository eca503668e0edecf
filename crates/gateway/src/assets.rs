//! The files of the pages, embedded in the binary: nothing is loaded from elsewhere.

use std::sync::OnceLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH},
    web,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::ErrorCode;
use service_kit::problem::Problem;
use service_kit::routes::{Access, RouteTable};
use sha2::{Digest, Sha256};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A page may load scripts, styles, fonts and images from this server alone, and no script or style
/// stands in the page itself (CSP Level 3).
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// A page's file.
pub(crate) struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    etag: OnceLock<String>,
}

macro_rules! assets {
    ($($name:ident = $path:literal, $content_type:expr;)+) => {
        $(pub(crate) static $name: Asset = Asset {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../assets/", $path)),
            etag: OnceLock::new(),
        };)+

        static ALL: &[&Asset] = &[$(&$name,)+];
    };
}

assets! {
    GRAPHIQL_PAGE = "graphiql/index.html", HTML;
    GRAPHIQL_START = "graphiql/start.js", JAVASCRIPT;
    GRAPHIQL_START_STYLE = "graphiql/start.css", CSS;
    GRAPHIQL = "graphiql/graphiql.min.js", JAVASCRIPT;
    GRAPHIQL_STYLE = "graphiql/graphiql.min.css", CSS;
    REACT = "graphiql/react.production.min.js", JAVASCRIPT;
    REACT_DOM = "graphiql/react-dom.production.min.js", JAVASCRIPT;
    CONSOLE_PAGE = "console/index.html", HTML;
    CONSOLE_SCRIPT = "console/console.js", JAVASCRIPT;
    CONSOLE_SESSION = "console/session.js", JAVASCRIPT;
    CONSOLE_GRAPHQL = "console/graphql.js", JAVASCRIPT;
    TIMELINE_PAGE = "console/timeline.html", HTML;
    TIMELINE_SCRIPT = "console/timeline.js", JAVASCRIPT;
    TIMELINE_STYLE = "console/timeline.css", CSS;
    CONSOLE_STYLE = "console/console.css", CSS;
    CONSOLE_ICON = "console/icon.svg", SVG;
}

/// Serves the console at `/`, the page of an order's timeline, and the files under `/assets`.
pub(crate) fn routes() -> RouteTable {
    RouteTable::new("")
        .get("/", Access::Public, console)
        // What it shows it asks of the GraphQL API, with the session of the tab.
        .get("/orders/{id}/timeline", Access::Public, timeline)
        .get("/assets/{path:.*}", Access::Public, serve)
}

async fn timeline(request: HttpRequest) -> HttpResponse {
    TIMELINE_PAGE.answer(&request)
}

async fn console(request: HttpRequest) -> HttpResponse {
    CONSOLE_PAGE.answer(&request)
}

async fn serve(request: HttpRequest, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let asset = ALL.iter().find(|asset| asset.path == path.as_str());
    asset
        .map(|asset| asset.answer(&request))
        .ok_or_else(|| Problem::new(ErrorCode::NotFound))
}

impl Asset {
    /// The file, or 304 when the client has it already (RFC 9110, §13.1.2).
    pub(crate) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let etag = self.etag();
        let known = request
            .headers()
            .get(IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
        let mut response = if is_known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response.insert_header((ETAG, etag));
        // Kept by browsers, and asked for again: a new binary may bring another.
        response.insert_header((CACHE_CONTROL, "no-cache"));
        response.insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY));
        response.content_type(self.content_type);
        if is_known {
            response.finish()
        } else {
            response.body(self.bytes)
        }
    }

    fn etag(&self) -> &str {
        self.etag.get_or_init(|| {
            let digest = Sha256::digest(self.bytes);
            format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest))
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, test as http};

    use super::*;

    /// Everything that a page names is embedded, and nothing comes from elsewhere.
    #[test]
    fn pages_load_embedded_files_only() {
        for page in [&GRAPHIQL_PAGE, &CONSOLE_PAGE, &TIMELINE_PAGE] {
            let html = std::str::from_utf8(page.bytes).unwrap();
            for attribute in ["src=\"", "href=\"/assets/"] {
                for rest in html.split(attribute).skip(1) {
                    let path = rest
                        .split('"')
                        .next()
                        .unwrap()
                        .trim_start_matches("/assets/");
                    assert!(ALL.iter().any(|asset| asset.path == path), "{path}");
                }
            }
            assert!(!html.contains("<style") && !html.contains("style=") && !html.contains("//"));
        }
    }

    #[actix_web::test]
    async fn a_known_file_is_not_sent_again() {
        let app =
            http::init_service(App::new().configure(|config| routes().configure(config))).await;
        let first = http::TestRequest::get()
            .uri("/assets/console/icon.svg")
            .to_request();
        let first = http::call_service(&app, first).await;
        assert_eq!(first.status(), 200);
        let etag = first.headers().get(ETAG).unwrap().clone();
        let again = http::TestRequest::get()
            .uri("/assets/console/icon.svg")
            .insert_header((IF_NONE_MATCH, etag))
            .to_request();
        assert_eq!(http::call_service(&app, again).await.status(), 304);
        for path in [
            "/assets/",
            "/assets/../Cargo.toml",
            "/assets/console/none.js",
        ] {
            let request = http::TestRequest::get().uri(path).to_request();
            assert_eq!(
                http::call_service(&app, request).await.status(),
                404,
                "{path}"
            );
        }
    }
}
