//! The catalogue.

use async_graphql::{Context, Error, ID, Object};
use contracts::ErrorCode;
use kernel::{Permission, ProductId};
use orders::Orders;
use uuid::Uuid;

use super::page_arguments;
use crate::caller::Caller;
use crate::cursor::{Cursors, List};
use crate::graphql::access::ByTable;
use crate::graphql::direct::Direct;
use crate::graphql::failure::{failure, listing_failure, order_failure};
use crate::graphql::loaders::Loaders;
use crate::graphql::model::{Connection, Edge, Node, Order, Product, ProductSort};
use crate::listing::product_filter;

/// Who has one of these may ask for orders.
const READ_ORDERS: [Permission; 2] = [Permission::ReadOwnOrders, Permission::ReadAnyOrder];

#[derive(Default)]
pub(super) struct Catalogue;

#[Object(guard = "ByTable(\"Query\")")]
impl Catalogue {
    /// The catalogue. Give `first` or `last`, from 1 to 100.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is an argument of the field"
    )]
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
    async fn product(
        &self,
        context: &Context<'_>,
        id: ID,
    ) -> Result<Option<Direct<Product>>, Error> {
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
            .map(Direct)
            .map(Some)
            .ok_or_else(missing)
    }

    /// A product, or an order that the caller may see, by its id. Null if there is none.
    async fn node(&self, context: &Context<'_>, id: ID) -> Result<Option<Node>, Error> {
        let Ok(id) = Uuid::parse_str(&id) else {
            return Ok(None);
        };
        let loaders = context.data::<Loaders>()?;
        let product = loaders.products.load(id.into(), id.into()).await;
        if let Some(product) = product.map_err(|error| order_failure(&error))? {
            return Ok(Some(Product::from(product).into()));
        }
        let may_read =
            |caller: &&Caller| READ_ORDERS.iter().any(|&needed| caller.actor.may(needed));
        let Some(caller) = context.data_opt::<Caller>().filter(may_read) else {
            return Ok(None);
        };
        let asked = (caller.actor.clone(), id.into());
        let order = loaders.orders.load(id.into(), asked).await;
        let order = order.map_err(|error| order_failure(&error))?;
        Ok(order.map(|order| Order::from(order).into()))
    }
}
