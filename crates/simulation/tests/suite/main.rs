//! The simulation finds nothing, would find something, and tells the same story as the use-cases.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod guards;
mod schedules;
