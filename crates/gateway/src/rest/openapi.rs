//! The OpenAPI 3.1 document of `/v1`.

use service_kit::{api_docs, problem::ProblemBody};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Plumbline orders",
        description = "The catalogue and orders: the same use-cases as GraphQL. Errors are RFC 9457 \
                       problems with a stable `code`. Lists are paged by cursors, so that rows \
                       which arrive meanwhile are neither skipped nor repeated.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server of this document")),
    paths(
        super::list_products::handle,
        super::get_product::handle,
        super::list_orders::handle,
        super::get_order::handle,
        super::place_order::handle,
    ),
    components(schemas(ProblemBody))
)]
struct Document;

/// The OpenAPI document of `/v1`.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    use utoipa::OpenApi as _;
    let routes = super::routes();
    api_docs::complete(Document::openapi(), routes.declared())
}
