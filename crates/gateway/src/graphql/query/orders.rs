//! Orders.

use async_graphql::{Context, Error, ID, Object};
use contracts::ErrorCode;
use kernel::OrderId;
use orders::Orders;

use super::page_arguments;
use crate::cursor::{Cursors, List};
use crate::graphql::access::ByTable;
use crate::graphql::failure::{caller, failure, listing_failure, order_failure};
use crate::graphql::model::{Connection, Edge, Order};

#[derive(Default)]
pub(super) struct OrderQueries;

#[Object(guard = "ByTable(\"Query\")")]
impl OrderQueries {
    /// One's own orders, the newest first. Give `first` or `last`, from 1 to 100.
    async fn orders(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<Connection<Edge<Order>>>, Error> {
        let actor = &caller(context)?.actor;
        let cursors = context.data::<Cursors>()?;
        let arguments = page_arguments(first, after, last, before);
        let request = arguments
            .request(cursors, List::Orders)
            .map_err(listing_failure)?;
        let page = context
            .data::<Orders>()?
            .orders_of_actor(actor, request)
            .await;
        let page = page.map_err(|error| order_failure(&error))?;
        Ok(Some(Connection::new(
            page,
            cursors,
            List::Orders,
            orders::Order::key,
        )))
    }

    /// One of one's own orders; staff may see any.
    async fn order(&self, context: &Context<'_>, id: ID) -> Result<Option<Order>, Error> {
        let actor = &caller(context)?.actor;
        let missing = || failure(ErrorCode::OrderNotFound, ErrorCode::OrderNotFound.title());
        let id: OrderId = id.parse().map_err(|_| missing())?;
        let order = context.data::<Orders>()?.order(actor, id).await;
        let order = order.map_err(|error| order_failure(&error))?;
        order.map(Order::from).map(Some).ok_or_else(missing)
    }
}
