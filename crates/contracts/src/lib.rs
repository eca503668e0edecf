//! What crosses a process boundary: event envelopes, access-token claims, API keys and error codes.
//! A change here is a change of a published format.

mod access_token;
mod api_key;
mod envelope;
mod error_code;
mod event;
pub mod order_event;
pub mod product_event;
pub mod saga_event;

pub use access_token::{ACCESS_TOKEN_COOKIE, AccessTokenClaims};
pub use api_key::{ApiKey, MalformedApiKey, ResolvedApiKey};
pub use envelope::{DecodeError, Envelope};
pub use error_code::ErrorCode;
pub use event::{DeclaredEvent, UnknownEvent, declared_events};
