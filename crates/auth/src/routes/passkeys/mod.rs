//! Passkeys: the options are what a page hands to `navigator.credentials`, the credentials what it
//! gets back (W3C Web Authentication, level 3, §5.1.8 and §5.1.10).

pub(super) mod add;
pub(super) mod begin_adding;
pub(super) mod begin_log_in;
pub(super) mod delete;
pub(super) mod list;
pub(super) mod log_in;

use chrono::{DateTime, Utc};
use contracts::ErrorCode;
use serde::Serialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use super::database_problem;
use crate::{passkeys::PasskeyError, store::passkey, use_cases::passkeys::CeremonyError};

/// What to ask the authenticator.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Ceremony<T> {
    /// To be sent with the authenticator's answer, within five minutes.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    ceremony: String,
    /// The argument of `navigator.credentials.create` or `get`, as JSON.
    #[schema(value_type = Object)]
    options: T,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct PasskeyBody {
    id: Uuid,
    #[schema(example = "My telephone")]
    name: String,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<passkey::Model> for PasskeyBody {
    fn from(passkey: passkey::Model) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        }
    }
}

impl From<CeremonyError> for Problem {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::InvalidCeremony => Self::new(ErrorCode::InvalidChallenge),
            CeremonyError::Passkey(PasskeyError::Unavailable) => {
                Self::new(ErrorCode::PasskeysUnavailable)
            }
            CeremonyError::Passkey(PasskeyError::Refused(_)) => {
                Self::new(ErrorCode::PasskeyRefused).cause(error)
            }
            CeremonyError::Passkey(PasskeyError::Challenge(_) | PasskeyError::Stored(_))
            | CeremonyError::Random(_) => Self::internal(error),
            CeremonyError::Database(error) => database_problem(error),
        }
    }
}
