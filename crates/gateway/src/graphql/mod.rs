//! GraphQL: the transports, the guard in front of the library, and the schema.

pub(crate) mod access;
mod answer;
mod code;
pub mod engine;
mod failure;
pub mod guard;
pub mod http;
mod loaders;
mod model;
mod mutation;
mod negotiation;
mod parameters;
mod query;
mod schema;
mod subscription;
pub mod websocket;

pub(crate) use schema::Shop;
pub use schema::schema_sdl;
