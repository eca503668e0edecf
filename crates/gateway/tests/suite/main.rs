//! The gateway's protocols, over a real server and a small schema of its own: no database needed.
//! What the shop's schema does is tested end to end in `crates/plumbline/tests`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod audit;
mod graphql_http;
mod graphql_transport_ws;
mod limits;
mod support;
