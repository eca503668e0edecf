//! A schema in two forms: one that validates documents, and one that executes those that have been
//! validated.
//!
//! The library validates at each execution. A document that comes again is as valid as it was, so
//! it is validated once ([`super::documents`]), and executed by a schema that takes its word for it.

use std::sync::Arc;

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{
    Data, Executor, ObjectType, Request, Response, Schema, SchemaBuilder, ServerError,
    SubscriptionType, ValidationMode, Value,
};
use futures_util::FutureExt;

/// What the engine needs of a schema.
pub trait CheckedExecutor: Executor {
    /// The schema in the schema definition language.
    fn sdl(&self) -> String;

    /// What is wrong with a request's document: all of its operations and fragments. Values are
    /// checked with the request's variables put in.
    fn validate(&self, request: Request) -> Vec<ServerError>;
}

/// A schema that validates when it is asked to, and not when it executes.
pub struct CheckedSchema<Q, M, S> {
    validating: Schema<Q, M, S>,
    executing: Schema<Q, M, S>,
}

impl<Q, M, S> Clone for CheckedSchema<Q, M, S> {
    fn clone(&self) -> Self {
        Self {
            validating: self.validating.clone(),
            executing: self.executing.clone(),
        }
    }
}

impl<Q, M, S> CheckedSchema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// Builds both forms.
    pub fn new(build: impl Fn() -> SchemaBuilder<Q, M, S>) -> Self {
        Self {
            validating: build().extension(ValidateOnly).finish(),
            executing: build().validation_mode(ValidationMode::Fast).finish(),
        }
    }
}

impl<Q, M, S> Executor for CheckedSchema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    async fn execute(&self, request: Request) -> Response {
        self.executing.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        Executor::execute_stream(&self.executing, request, session_data)
    }
}

impl<Q, M, S> CheckedExecutor for CheckedSchema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        self.executing.sdl()
    }

    fn validate(&self, request: Request) -> Vec<ServerError> {
        // Nothing is waited for before execution, which is left out.
        match self.validating.execute(request).now_or_never() {
            Some(response) => response.errors,
            None => vec![ServerError::new("internal: validation did not end", None)],
        }
    }
}

/// Ends each request before its execution.
struct ValidateOnly;

impl ExtensionFactory for ValidateOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for ValidateOnly {
    async fn execute(
        &self,
        _context: &ExtensionContext<'_>,
        _operation_name: Option<&str>,
        _next: NextExecute<'_>,
    ) -> Response {
        Response::new(Value::Null)
    }
}
