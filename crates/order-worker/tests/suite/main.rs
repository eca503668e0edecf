//! The saga from end to end: real relay, the broker inside the process, and the payment double
//! over HTTP; over SQLite, and over PostgreSQL in a distributed run (`cargo xtask test`).

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod cancelling;
mod crashes;
mod databases;
mod mails;
mod older_events;
mod payments;
mod people;
mod poison;
mod provider;
mod reconciling;
mod refunds;
mod saga;
mod scaling;
mod world;
