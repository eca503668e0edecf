//! What every test uses: a running [`System`] and the [`Customer`]s of its shop.

mod customer;
mod mail;
mod patience;
mod place;
mod rest;
mod system;

pub use customer::{PASSWORD, order_body};
pub use system::System;
