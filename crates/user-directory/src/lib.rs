//! Who the people behind ids are: the gRPC contract between auth, which knows, and the services
//! that ask.
//!
//! [`v1`] is generated from `proto/user_directory.proto` by `cargo xtask generate`. [`Directory`]
//! is the client: over the network, or, where auth is in the same process, handed to its server
//! without one. Both ways carry a service token from [`ServiceTokens`].

mod answer;
mod api_key;
mod directory;
mod service_tokens;
mod transport;
#[rustfmt::skip]
#[path = "generated.rs"]
pub mod v1;

pub use answer::{AuditEvent, AuditFilter, InvalidAnswer, Person};
pub use api_key::InvalidApiKey;
pub use directory::{Directory, DirectoryError};
pub use service_tokens::{ClientCredentials, IssuedToken, ServiceTokens, TokenError};

/// The `aud` of the tokens that open the directory.
pub const AUDIENCE: &str = "plumbline:user-directory";

/// How many people one call may ask for.
pub const MAX_IDS: usize = 100;

/// A longer message is refused, by the client and by the server, in bytes.
pub const MAX_MESSAGE: usize = 256 * 1024;
