//! REST `/v2`: products alone, as they look from now on. What is not here is as it is in `/v1`.

pub(super) mod get_product;
pub(super) mod list_products;
mod model;

use service_kit::routes::{Access, RouteTable};

pub(super) const PREFIX: &str = "/v2";

/// The routes and who may call them.
pub(super) fn routes() -> RouteTable {
    RouteTable::new(PREFIX)
        .get("/products", Access::Public, list_products::handle)
        .get("/products/{id}", Access::Public, get_product::handle)
}
