//! GraphQL: the transports, the guard in front of the library, and the schema.

pub(crate) mod access;
mod answer;
mod body;
pub mod checked;
mod code;
mod direct;
mod documents;
pub mod engine;
mod failure;
pub mod guard;
pub mod http;
mod input_types;
mod loaders;
mod model;
mod mutation;
mod negotiation;
mod parameters;
mod query;
mod schema;
mod subscription;
pub mod trusted;
pub mod websocket;

pub use answer::Rejection;
pub use documents::DocumentHash;
pub(crate) use schema::Shop;
pub use schema::{check_document, schema_sdl};
