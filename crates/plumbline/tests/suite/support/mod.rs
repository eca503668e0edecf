//! What every test uses: a running [`System`] and the [`Customer`]s of its shop.

mod browser;
mod customer;
pub mod events;
mod identity;
mod mail;
mod patience;
mod place;
mod published;
mod recorder;
mod refused;
mod rest;
mod system;

pub use browser::Browser;
pub use customer::{Customer, PASSWORD, order_body};
pub use identity::{Identity, Outcome, Session};
pub use patience::{available, eventually};
pub use place::ALLOWED_ORIGIN;
pub use published::{NOBODYS, Operation, concrete, operations, permission_of};
pub use recorder::Recorder;
pub use refused::{graphql_code, refused};
pub use system::System;
