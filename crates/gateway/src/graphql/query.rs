//! What can be read.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use contracts::ErrorCode;
use kernel::{OrderId, ProductId, UserId};
use orders::Orders;
use user_directory::Person;

use super::access::ByTable;
use super::failure::{caller, failure, listing_failure, order_failure, people_failure};
use super::loaders::Loaders;
use super::model::{Connection, Edge, Order, Product};
use crate::cursor::{Cursors, List};
use crate::listing::{PageArguments, product_filter};

/// The root of all queries.
pub struct Query;

/// The caller, as the access token tells, and the user directory.
#[derive(SimpleObject)]
#[graphql(complex)]
struct Me {
    #[graphql(skip)]
    user_id: UserId,
    /// The user's id.
    id: ID,
    /// What the user is, for example `customer`.
    roles: Vec<&'static str>,
}

#[ComplexObject]
impl Me {
    /// What the user wants to be called. Null, with an error, while the directory is away.
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        let person = self.person(context).await?;
        Ok(person.map(|person| person.name))
    }

    /// The e-mail address. Null, with an error, while the directory is away.
    async fn email(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        let person = self.person(context).await?;
        Ok(person.map(|person| person.email))
    }
}

impl Me {
    async fn person(&self, context: &Context<'_>) -> Result<Option<Person>, Error> {
        let people = &context.data::<Loaders>()?.people;
        let person = people.load(self.user_id, self.user_id).await;
        person.map_err(|error| people_failure(&error))
    }
}

/// The root of all queries.
#[Object(guard = "ByTable(\"Query\")")]
impl Query {
    /// Who is asking.
    async fn me(&self, context: &Context<'_>) -> Result<Option<Me>, Error> {
        let actor = &caller(context)?.actor;
        let roles = actor.roles.iter().map(|role| role.as_str()).collect();
        Ok(Some(Me {
            user_id: actor.user_id,
            id: actor.user_id.to_string().into(),
            roles,
        }))
    }

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

fn page_arguments(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> PageArguments {
    PageArguments {
        first: first.map(i64::from),
        after,
        last: last.map(i64::from),
        before,
    }
}
