//! The shop's schema, ready to be put behind the engine.

use std::sync::Arc;

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{Data, Executor, Request, Response, Schema, ServerError};
use orders::Orders;
use service_kit::revocation::RevocationList;
use user_directory::Directory;

use super::answer::Rejection;
use super::checked::{CheckedExecutor, CheckedSchema};
use super::engine::{Engine, EngineConfig};
use super::guard;
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
    schema: CheckedSchema<Query, Mutation, Subscription>,
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
        let schema = CheckedSchema::new(|| {
            let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
                .data(orders.clone())
                .data(directory.clone())
                .data(revocations.clone())
                .data(news.clone())
                .data(cursors.clone())
                .data(limits.clone());
            if introspection {
                builder
            } else {
                builder.disable_introspection().disable_suggestions()
            }
        });
        Self {
            schema,
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

impl CheckedExecutor for Shop {
    fn sdl(&self) -> String {
        self.schema.sdl()
    }

    fn validate(&self, request: Request) -> Vec<ServerError> {
        self.schema.validate(request)
    }
}

/// The schema in the schema definition language.
#[must_use]
pub fn schema_sdl() -> String {
    Schema::new(Query::default(), Mutation::default(), Subscription).sdl()
}

/// The names of the operations of a document that this gateway could execute.
///
/// # Errors
/// What is wrong with it.
pub fn check_document(text: &str, limits: guard::Limits) -> Result<Vec<Option<String>>, Rejection> {
    let schema =
        CheckedSchema::new(|| Schema::build(Query::default(), Mutation::default(), Subscription));
    let config = EngineConfig {
        limits,
        ..EngineConfig::default()
    };
    Engine::new(schema, config).check(text)
}
