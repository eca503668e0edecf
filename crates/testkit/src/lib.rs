//! What tests and `cargo xtask` share: real servers started privately, and clients that speak to
//! the running system as its users do.
//!
//! Nothing here knows auth, gateway or orders: the system under test is reached over its ports.

pub mod environment;
pub mod mail;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod readiness;
pub mod services;
pub mod statement;

#[cfg(feature = "clients")]
pub mod graphql_ws;
#[cfg(feature = "clients")]
pub mod http;
#[cfg(feature = "clients")]
pub mod oidc_provider;
#[cfg(feature = "clients")]
pub mod postgres;
#[cfg(feature = "clients")]
pub mod ws;
