//! Processes, and the people and roles that use them.

mod distributed;
mod program;
mod shop;
mod system;

pub use distributed::{Distributed, PROVIDER_KEY, own_secrets, services};
pub use program::{PATIENCE, Server, Settings, eventually, run, setting};
pub use shop::{DEMO_PASSWORD, PAYMENT_METHODS, Shop, log_in};
pub use system::System;
