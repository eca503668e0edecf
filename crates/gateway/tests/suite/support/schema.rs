//! A schema with one field for everything that the transports must handle.

use std::sync::Arc;

use async_graphql::{Context, Error, Object, Schema, Subscription};
use async_stream::stream;
use futures_util::{Stream, future, stream as streams};
use gateway::graphql::checked::CheckedSchema;
use service_kit::access_token::VerifiedToken;
use tokio::sync::mpsc::UnboundedSender;

pub type Stub = CheckedSchema<Query, Mutation, Watch>;

pub fn schema(ended: UnboundedSender<&'static str>) -> Stub {
    CheckedSchema::new(|| Schema::build(Query, Mutation, Watch).data(ended.clone()))
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &'static str {
        "world"
    }

    /// Who asks, if anyone.
    async fn me(&self, context: &Context<'_>) -> Option<String> {
        let caller = context.data_opt::<Arc<VerifiedToken>>();
        caller.map(|caller| caller.actor.user_id.to_string())
    }

    async fn items(&self, first: Option<i32>) -> Vec<Item> {
        (0..first.unwrap_or(1)).map(Item).collect()
    }

    async fn required(&self, id: async_graphql::ID) -> String {
        id.to_string()
    }

    async fn never(&self) -> bool {
        future::pending().await
    }

    /// Fails the way a resolver fails that uses `?` on a foreign error.
    async fn broken(&self) -> Result<Option<bool>, Error> {
        Err(std::io::Error::other("password=hunter2").into())
    }
}

pub struct Item(i32);

#[Object]
impl Item {
    async fn number(&self) -> i32 {
        self.0
    }

    async fn item(&self) -> Item {
        Item(self.0)
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn change(&self) -> bool {
        true
    }
}

/// Reports its name when the subscription that holds it is dropped.
struct Ended(&'static str, UnboundedSender<&'static str>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.1.send(self.0);
    }
}

fn ended(context: &Context<'_>, name: &'static str) -> Ended {
    Ended(
        name,
        context
            .data_unchecked::<UnboundedSender<&'static str>>()
            .clone(),
    )
}

pub struct Watch;

#[Subscription]
impl Watch {
    /// Counts up to `to` and ends.
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        streams::iter(1..=to)
    }

    /// Says one thing and then nothing.
    async fn quiet(&self, context: &Context<'_>) -> impl Stream<Item = i32> {
        let ended = ended(context, "quiet");
        stream! {
            let _ended = ended;
            yield 1;
            future::pending::<()>().await;
        }
    }

    /// Floods its reader with large messages.
    async fn flood(&self, context: &Context<'_>) -> impl Stream<Item = String> {
        let ended = ended(context, "flood");
        stream! {
            let _ended = ended;
            loop {
                yield "x".repeat(64 * 1024);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Can't be subscribed to.
    async fn forbidden(&self) -> Result<streams::Empty<i32>, Error> {
        use async_graphql::ErrorExtensions as _;
        Err(Error::new("No.").extend_with(|_, values| values.set("code", "FORBIDDEN")))
    }
}
