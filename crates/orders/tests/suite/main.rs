//! The ordering context through its public surface, over SQLite and over PostgreSQL.
//!
//! PostgreSQL takes part in a distributed run (`cargo xtask test`); otherwise each test says on
//! standard error that it was left out.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod audit;
mod batches;
mod cancelling;
mod catalogue;
mod databases;
mod indexes;
mod managing;
mod overdue;
mod payment;
mod placing;
mod reading;
mod refunding;
mod shop;
mod stock;
mod timeline;
