//! The OpenAPI 3.1 document of `/v1`.

use utoipa::Modify;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Plumbline orders",
        description = "The catalogue and orders: the same use-cases as GraphQL. Errors are RFC 9457 \
                       problems with a stable `code`. Lists are paged by cursors, so that rows \
                       which arrive meanwhile are neither skipped nor repeated.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        super::list_products::handle,
        super::get_product::handle,
        super::list_orders::handle,
        super::get_order::handle,
        super::place_order::handle,
    ),
    modifiers(&BearerToken),
)]
struct Document;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        let scheme = SecurityScheme::Http(bearer);
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", scheme);
    }
}

/// The OpenAPI document of `/v1`.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    use utoipa::OpenApi as _;
    Document::openapi()
}
