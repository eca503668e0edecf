//! The program: reads the settings, puts the services together for a role, and runs them until
//! they are told to stop.

mod asyncapi;
mod audit;
mod banner;
pub mod cli;
mod cors;
mod dead_letters;
mod documents;
mod follow;
mod health_check;
mod http;
mod keys;
mod migrate;
mod offline;
mod payment_double;
mod permissions;
mod reconcile;
mod resources;
mod running;
mod seed;
mod service_accounts;
mod services;
pub mod settings;
mod trusted_documents;

pub use cli::run;
pub use documents::declared_events;
pub use permissions::declared_routes;
pub use running::{Role, Running, StartError, start};
