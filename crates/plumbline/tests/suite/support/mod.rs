//! What every test uses: a running [`System`] and the [`Customer`]s of its shop.

mod browser;
mod customer;
mod mail;
mod patience;
mod place;
mod rest;
mod system;

pub use browser::Browser;
pub use customer::{Customer, PASSWORD, order_body};
pub use patience::eventually;
pub use place::ALLOWED_ORIGIN;
pub use system::System;
