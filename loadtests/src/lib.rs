//! Load tests of the shop, on an **open schedule**.
//!
//! A closed-model tool gives each simulated user one request at a time: when the server stalls,
//! the users wait, stop asking, and the requests that would have suffered are never made. The
//! stall shows as one slow request per user and vanishes from every percentile ("coordinated
//! omission", Gil Tene). Real shoppers do not wait for one another. So here request `i` is due at
//! `t0 + i / rate` whatever happened to the ones before it, and its latency counts from the moment
//! it was due ([`schedule`], [`generator`]).
//!
//! The way of one run ([`run`]):
//! 1. set up: shoppers log in, the catalogue is read ([`shop`]);
//! 2. the generator fires the profile's mix ([`profile`], [`operations`]);
//! 3. every placed order must reach `CONFIRMED` ([`settle`]);
//! 4. thresholds decide ([`thresholds`]), and the figures go to JSON and to one HTML file that
//!    loads nothing from anywhere ([`report`]).
//!
//! [`bench`], [`bench_gateway`] and [`bench_orders`] measure something else with the same parts: what
//! log-ins cost, and whom they disturb; the gateway beside servers that do one thing of it; and orders a
//! second beside what PostgreSQL can commit.

pub mod audit;
pub mod bench;
pub mod bench_gateway;
pub mod bench_orders;
pub mod cli;
pub mod failure;
pub mod generator;
pub mod latency;
pub mod machine;
pub mod measurements;
pub mod operations;
pub mod processes;
pub mod profile;
pub mod progress;
pub mod recorder;
pub mod report;
pub mod run;
pub mod schedule;
pub mod settle;
pub mod shop;
pub mod thresholds;
