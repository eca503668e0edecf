//! Charging cards through Stripe's HTTP API: the client, the webhook signature and what both
//! speak about. `payment-double` answers the same subset, so this one client runs against both.
//!
//! The rule that keeps a customer from being charged twice: commit the attempt before the call,
//! and repeat the call with the same idempotency key until its outcome is definite
//! ([`PaymentError`] says which outcomes are). Stripe keeps a key for [`IDEMPOTENCY_KEY_LIFETIME`];
//! an attempt older than that is looked up ([`Stripe::list_intents`]) before it is repeated.

mod answer;
mod client;
mod error;
mod model;
pub mod signature;
mod webhook;

pub use answer::MAX_RESPONSE_BYTES;
pub use client::{API_VERSION, IDEMPOTENCY_KEY_LIFETIME, Stripe, StripeConfig, StripeConfigError};
pub use error::{Failure, PaymentError};
pub use model::{
    CreateIntent, CreateRefund, Intent, IntentFailure, IntentStatus, ListIntents, Page, Refund,
    RefundStatus,
};
pub use webhook::{EventObject, WebhookEvent};
