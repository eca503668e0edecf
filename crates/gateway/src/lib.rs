//! gateway

mod assets;
mod caller;
pub mod graphql;
