//! The shop's schema, ready to be put behind the engine.

use std::sync::Arc;

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{Data, Executor, Request, Response, Schema};
use orders::Orders;
use service_kit::revocation::RevocationList;
use user_directory::Directory;

use super::loaders::Loaders;
use super::mutation::Mutation;
use super::query::Query;
use super::subscription::Subscription;
use crate::cursor::Cursors;
use crate::limits::Limits;
use crate::order_news::OrderNews;
use crate::people::People;

/// The schema with what its resolvers need. Each request gets loaders of its own.
#[derive(Clone)]
pub(crate) struct Shop {
    schema: Schema<Query, Mutation, Subscription>,
    orders: Orders,
    people: People,
}

impl Shop {
    /// Without `introspection`, the schema and hints at its names are kept from clients.
    pub(crate) fn new(
        orders: Orders,
        directory: Directory,
        revocations: RevocationList,
        news: OrderNews,
        cursors: Cursors,
        limits: Limits,
        introspection: bool,
    ) -> Self {
        let people = People::of(&directory);
        let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
            .data(orders.clone())
            .data(directory)
            .data(revocations)
            .data(news)
            .data(cursors)
            .data(limits);
        let builder = if introspection {
            builder
        } else {
            builder.disable_introspection().disable_suggestions()
        };
        Self {
            schema: builder.finish(),
            orders,
            people,
        }
    }
}

impl Executor for Shop {
    async fn execute(&self, request: Request) -> Response {
        self.schema
            .execute(request.data(Loaders::new(&self.orders, &self.people)))
            .await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let request = request.data(Loaders::new(&self.orders, &self.people));
        Executor::execute_stream(&self.schema, request, session_data)
    }
}

/// The schema in the schema definition language.
#[must_use]
pub fn schema_sdl() -> String {
    Schema::new(Query::default(), Mutation::default(), Subscription).sdl()
}
