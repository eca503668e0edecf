//! GraphQL: the transports, the guard in front of the library, and the schema.

mod answer;
mod code;
pub mod engine;
pub mod guard;
pub mod http;
mod negotiation;
mod parameters;
pub mod websocket;
