//! The catalogue.

use async_graphql::{Context, Error, ID, Object};
use contracts::ErrorCode;
use kernel::ProductId;
use orders::Orders;

use super::page_arguments;
use crate::cursor::{Cursors, List};
use crate::graphql::access::ByTable;
use crate::graphql::failure::{failure, listing_failure, order_failure};
use crate::graphql::model::{Connection, Edge, Product, ProductSort};
use crate::listing::product_filter;

#[derive(Default)]
pub(super) struct Catalogue;

#[Object(guard = "ByTable(\"Query\")")]
impl Catalogue {
    /// The catalogue. Give `first` or `last`, from 1 to 100.
    async fn products(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            desc = "Part of the name, in either case. One or two characters are its beginning."
        )]
        search: Option<String>,
        #[graphql(default)] sort: ProductSort,
    ) -> Result<Option<Connection<Edge<Product>>>, Error> {
        let cursors = context.data::<Cursors>()?;
        let filter = product_filter(search).map_err(listing_failure)?;
        let sort = sort.into();
        let list = List::Products(sort);
        let arguments = page_arguments(first, after, last, before);
        let request = arguments.request(cursors, list).map_err(listing_failure)?;
        let orders = context.data::<Orders>()?;
        let page = orders.products(&filter, sort, request).await;
        let page = page.map_err(|error| order_failure(&error))?;
        let key = orders::Product::key;
        Ok(Some(Connection::new((*page).clone(), cursors, list, key)))
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
