//! The gateway: GraphQL, the same use-cases as REST `/v1`, payment webhooks and the console page. It
//! owns nothing: it calls the ordering use-cases and verifies access tokens.
//!
//! async-graphql executes; everything between it and the network is here, because its HTTP side
//! neither keeps to GraphQL over HTTP nor bounds what a document may cost.

mod assets;
mod caller;
mod conditional;
mod cursor;
mod freshness;
mod gateway;
pub mod graphql;
mod hub;
mod limits;
mod listing;
mod order_news;
mod people;
mod rest;
mod webhooks;

pub use gateway::{Gateway, GatewayConfig, GatewayDeps, declared_routes};
pub use graphql::access::{DeclaredField, FieldAccess, declared_fields};
pub use graphql::{schema_sdl, websocket::prepare_socket};
pub use limits::{Limits, LimitsConfig, Payer};
pub use rest::openapi;
