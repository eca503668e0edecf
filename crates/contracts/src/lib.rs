//! What crosses a process boundary: event envelopes, access-token claims and error codes.
//! A change here is a change of a published format.

mod access_token;
mod envelope;
mod error_code;
pub mod order_event;

pub use access_token::AccessTokenClaims;
pub use envelope::{DecodeError, Envelope};
pub use error_code::ErrorCode;
