//! The whole system, over its ports, in either mode: everything in one process on SQLite, or a
//! process for each role on PostgreSQL, Redis and RabbitMQ (`PLUMBLINE_TEST_MODE=distributed`).
//! [`support::System`] hides which one it is.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod bad_graphql;
mod bad_input;
mod console;
mod ends;
mod headers;
mod health;
mod idempotency;
mod isolation;
mod journey;
mod poison;
mod support;
mod trace;
mod webhook;
