//! The Stripe client against the double, over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod idempotency;
mod ledger;
mod refunds;
mod restart;
mod seam;
mod support;
mod switches;
mod tokens;
mod webhooks;
