//! The gateway's protocols, over a real server and a small schema of its own, and the whole gateway
//! over a shop of its own. The order's way to its end is tested in `crates/plumbline/tests`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod audit;
mod cancel_and_refund;
mod catalogue;
mod documents;
mod graphql_http;
mod graphql_transport_ws;
mod graphql_ws_client;
mod limits;
mod managing;
mod me;
mod orders;
mod pages;
mod people;
mod rate_limits;
mod rest;
mod socket_sessions;
mod statements;
mod subscriptions;
mod support;
mod webhooks;
