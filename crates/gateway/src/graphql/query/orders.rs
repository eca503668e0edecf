//! Orders.

use async_graphql::{Context, Error, ID, InputObject, Object};
use contracts::ErrorCode;
use kernel::OrderId;
use orders::Orders;

use super::page_arguments;
use crate::cursor::{Cursors, List};
use crate::graphql::access::ByTable;
use crate::graphql::direct::Direct;
use crate::graphql::failure::{caller, failure, listing_failure, order_failure};
use crate::graphql::model::{Connection, Edge, Order, OrderStatus, Timestamp};
use crate::listing::{InvalidListing, listed_moment, order_number};

#[derive(Default)]
pub(super) struct OrderQueries;

/// Which orders are meant: those to which everything applies that is given.
#[derive(InputObject, Default)]
struct OrderFilter {
    status: Option<OrderStatus>,
    customer_id: Option<ID>,
    /// The whole number, in either case, for example `PL-0123456789`.
    number: Option<String>,
    /// Placed then or later.
    created_from: Option<Timestamp>,
    /// Placed before that.
    created_before: Option<Timestamp>,
}

impl OrderFilter {
    fn parse(self) -> Result<orders::OrderFilter, InvalidListing> {
        let customer_id = self.customer_id.map(|id| id.parse()).transpose();
        let moment = |time: Option<Timestamp>| time.map(listed_moment).transpose();
        Ok(orders::OrderFilter {
            status: self.status.map(Into::into),
            customer_id: customer_id.map_err(|_| InvalidListing::CustomerId)?,
            number: self.number.map(order_number).transpose()?,
            created_from: moment(self.created_from)?,
            created_before: moment(self.created_before)?,
        })
    }
}

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

    /// Everybody's orders, the newest first, for staff. Give `first` or `last`, from 1 to 100.
    async fn all_orders(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<OrderFilter>,
    ) -> Result<Option<Connection<Edge<Order>>>, Error> {
        let actor = &caller(context)?.actor;
        let cursors = context.data::<Cursors>()?;
        let filter = filter
            .unwrap_or_default()
            .parse()
            .map_err(listing_failure)?;
        let arguments = page_arguments(first, after, last, before);
        let request = arguments
            .request(cursors, List::AllOrders)
            .map_err(listing_failure)?;
        let orders = context.data::<Orders>()?;
        let page = orders.all_orders(actor, &filter, request).await;
        let page = page.map_err(|error| order_failure(&error))?;
        let key = orders::Order::key;
        Ok(Some(Connection::new(page, cursors, List::AllOrders, key)))
    }

    /// One of one's own orders; staff may see any.
    async fn order(&self, context: &Context<'_>, id: ID) -> Result<Option<Direct<Order>>, Error> {
        let actor = &caller(context)?.actor;
        let missing = || failure(ErrorCode::OrderNotFound, ErrorCode::OrderNotFound.title());
        let id: OrderId = id.parse().map_err(|_| missing())?;
        let order = context.data::<Orders>()?.order(actor, id).await;
        let order = order.map_err(|error| order_failure(&error))?;
        order
            .map(|order| Some(Direct(Order::from(order))))
            .ok_or_else(missing)
    }
}
