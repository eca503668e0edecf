//! The same behaviour over the in-process broker and RabbitMQ, over SQLite and PostgreSQL.
//!
//! RabbitMQ and PostgreSQL take part when `PLUMBLINE_TEST_AMQP_URL` and
//! `PLUMBLINE_TEST_POSTGRES_URL` are set; what is left out is said on standard error.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod backends;
mod broadcast;
mod broker;
mod consumer;
mod dead_letters;
mod inbox;
mod outages;
mod outbox;
mod rabbitmq;
mod relay;
mod tracing_context;
