//! The ordering context's tables. No other context reads them.

pub mod catalogue_requests;
pub mod order_history;
pub mod order_lines;
pub mod orders;
pub mod payment_attempts;
pub mod payment_notices;
pub mod products;
pub mod reconciliations;
pub mod refunds;
pub mod stock;
pub mod stock_reservations;
