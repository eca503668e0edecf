#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client_faults;
mod signature;
mod webhook_event;
