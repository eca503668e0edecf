//! A gateway on a free port: its protocols over a stub schema, or the whole over a shop of its own.

mod api;
mod home;
mod people;
mod schema;
mod shop;
mod socket;
mod stub;
mod tokens;

pub use api::{Api, MODERN, Reply};
pub use people::{People, ROWS};
pub use shop::Shop;
pub use socket::{Closed, Socket};
pub use stub::{Server, Settings};
pub use tokens::Tokens;
