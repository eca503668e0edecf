//! The words every part of Plumbline shares: identifiers, money, e-mail addresses, time and
//! permissions. Pure values: no I/O, no async, no framework.

mod access;
mod breaker;
mod clock;
mod email;
mod error_chain;
mod ids;
mod money;
pub mod page;

pub use access::{Actor, Credential, Permission, Role, Scope, UnknownPermission, UnknownRole};
pub use breaker::{Breaker, BreakerPolicy};
pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use email::{Email, InvalidEmail};
pub use error_chain::error_chain;
pub use ids::{ApiKeyId, EventId, OrderId, PaymentAttemptId, ProductId, SessionId, UserId};
pub use money::{Currency, InvalidCurrency, Money, MoneyError};
