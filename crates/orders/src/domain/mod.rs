//! The rules of ordering: pure values and functions, no I/O.

mod idempotency_key;
mod order_number;
mod placing;
mod status;

pub use idempotency_key::{IdempotencyKey, InvalidIdempotencyKey};
pub use order_number::order_number;
pub use placing::{InvalidField, MAX_LINES, MAX_QUANTITY, MAX_TOTAL, PlaceOrder, RequestedLine};
pub use status::{OrderStatus, UnknownStatus};
