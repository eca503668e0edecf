//! A payment provider to run on one's own machine: a small HTTP server that speaks the subset of
//! Stripe's API that Plumbline uses, signs webhooks the same way, and keeps a ledger of its own,
//! which survives `kill -9` when it has a journal. It charges nobody.
//!
//! It misbehaves on demand, by test token ([`TestToken`]) or by switch ([`Behaviour`]): declines,
//! charges and then times out, fails, refuses refunds, and delays, duplicates, reorders or drops webhooks.
//!
//! | route | what it is |
//! |---|---|
//! | `POST /v1/payment_intents`, `GET /v1/payment_intents[/{id}]` | Stripe's |
//! | `POST /v1/refunds`, `GET /v1/refunds` | Stripe's |
//! | `POST /double/behaviour`, `GET /double/behaviour` | the switches |
//! | `GET /double/ledger[?order_id=][&limit=]` | what it charged, with the callers' `traceparent` |
//! | `GET /health/live` | 200 while it runs; the only route without the secret key |
//!
//! The secret key is a Bearer token or, as in `curl -u KEY:`, the Basic user name.

mod behaviour;
mod config;
mod double;
mod http;
mod journal;
mod ledger;
mod server;
mod state;
mod token;
mod webhooks;
mod wire;

pub use behaviour::{Behaviour, InvalidBehaviour, RefundBehaviour, WebhookBehaviour};
pub use config::{DoubleConfig, RetryPolicy};
pub use journal::JournalError;
pub use server::{PaymentDouble, Running, StartError};
pub use token::TestToken;
