//! The rules of ordering: pure values and functions, no I/O.

mod idempotency_key;
mod order_number;
mod placing;
mod product;
mod settlement;
mod status;

pub use idempotency_key::{IdempotencyKey, InvalidIdempotencyKey};
pub use order_number::order_number;
pub use placing::{InvalidField, MAX_LINES, MAX_QUANTITY, MAX_TOTAL, PlaceOrder, RequestedLine};
pub use product::{
    AdjustStock, CreateProduct, MAX_DESCRIPTION, MAX_NAME, MAX_STOCK, UpdateProduct,
};
pub use settlement::{Attempt, MAX_REFUND_TRIES, PaymentStatus, Verdict, judge, refund_pause};
pub use status::{OrderStatus, UnknownStatus};
