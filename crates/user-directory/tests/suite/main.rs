//! The directory's client against its generated server: over loopback, and in process.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod calls;
mod service_tokens;
mod stub;
