//! The whole system, over its ports, in either mode: all roles in one, on SQLite, or each
//! role on its own, on PostgreSQL, Redis and RabbitMQ (`PLUMBLINE_TEST_MODE=distributed`).
//! [`support::System`] hides which one it is.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod asyncapi;
mod authorization;
mod bad_graphql;
mod bad_input;
mod bodies;
mod canaries;
mod catalogue;
mod console;
mod cors;
mod documents;
mod ends;
mod events;
mod external_login;
mod follow;
mod headers;
mod health;
mod idempotency;
mod isolation;
mod journey;
mod log_out;
mod mail_pages;
mod objects;
mod order_mails;
mod passkeys;
mod people;
mod poison;
mod reconcile;
mod redis_away;
mod sockets;
mod support;
mod trace;
mod webhook;
