//! The catalogue.

use async_graphql::{Context, Error, ID, Object};
use contracts::ErrorCode;
use kernel::ProductId;
use orders::Orders;

use super::page_arguments;
use crate::cursor::{Cursors, List};
use crate::graphql::access::ByTable;
use crate::graphql::failure::{failure, listing_failure, order_failure};
use crate::graphql::model::{Connection, Edge, Product};
use crate::listing::product_filter;

#[derive(Default)]
pub(super) struct Catalogue;

#[Object(guard = "ByTable(\"Query\")")]
impl Catalogue {
    /// The catalogue, the oldest product first. Give `first` or `last`, from 1 to 100.
    async fn products(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Part of the name, in any case.")] search: Option<String>,
    ) -> Result<Option<Connection<Edge<Product>>>, Error> {
        let cursors = context.data::<Cursors>()?;
        let filter = product_filter(search).map_err(listing_failure)?;
        let arguments = page_arguments(first, after, last, before);
        let request = arguments
            .request(cursors, List::Products)
            .map_err(listing_failure)?;
        let page = context.data::<Orders>()?.products(&filter, request).await;
        let page = page.map_err(|error| order_failure(&error))?;
        let key = orders::Product::key;
        Ok(Some(Connection::new(
            (*page).clone(),
            cursors,
            List::Products,
            key,
        )))
    }

    /// One product.
    async fn product(&self, context: &Context<'_>, id: ID) -> Result<Option<Product>, Error> {
        let missing = || {
            failure(
                ErrorCode::ProductNotFound,
                ErrorCode::ProductNotFound.title(),
            )
        };
        let id: ProductId = id.parse().map_err(|_| missing())?;
        let product = context.data::<Orders>()?.product(id).await;
        let product = product.map_err(|error| order_failure(&error))?;
        (*product)
            .clone()
            .map(Product::from)
            .map(Some)
            .ok_or_else(missing)
    }
}
