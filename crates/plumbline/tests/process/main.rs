//! The executable as its users run it: started, asked, stopped, killed and started again.
//!
//! Tests over PostgreSQL, Redis and RabbitMQ run where `cargo xtask test` provides them and are
//! left out, loudly, elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod configuration;
mod crash;
mod dead_letters;
mod dependencies;
mod harness;
mod keys;
mod migrate;
mod start;
mod stop;
mod trusted_documents;
