//! A person's own second factor.

pub(super) mod confirm_totp;
pub(super) mod disable;
pub(super) mod enrol_totp;
pub(super) mod read;
pub(super) mod renew_recovery_codes;

use contracts::ErrorCode;
use serde::Serialize;
use service_kit::problem::Problem;

use super::database_problem;
use crate::{
    secret::RecoveryCode,
    use_cases::{credential_change::CredentialChangeError, mfa::MfaError},
};

/// Shown once. Each lets its owner in once without the authenticator app.
#[derive(Serialize, utoipa::ToSchema)]
struct RecoveryCodes {
    #[schema(example = json!(vec!["0123-4567-89AB-CDEF-GHJK-MNPQ"; 10]), min_items = 10, max_items = 10)]
    recovery_codes: Vec<String>,
}

impl From<Vec<RecoveryCode>> for RecoveryCodes {
    fn from(codes: Vec<RecoveryCode>) -> Self {
        Self {
            recovery_codes: codes.iter().map(RecoveryCode::expose).collect(),
        }
    }
}

impl From<CredentialChangeError> for Problem {
    fn from(error: CredentialChangeError) -> Self {
        match error {
            CredentialChangeError::Database(error) => database_problem(error),
            CredentialChangeError::Mail(_) => Self::internal(error),
        }
    }
}

impl From<MfaError> for Problem {
    fn from(error: MfaError) -> Self {
        match error {
            MfaError::Forbidden => Self::new(ErrorCode::Forbidden),
            MfaError::Gone => Self::new(ErrorCode::InvalidToken),
            MfaError::AlreadyEnabled => Self::new(ErrorCode::MfaAlreadyEnabled),
            MfaError::NotEnabled => Self::new(ErrorCode::MfaNotEnabled),
            MfaError::WrongCode => Self::new(ErrorCode::InvalidSecondFactor),
            MfaError::Database(error) => database_problem(error),
            MfaError::SecondFactor(error) => error.into(),
            MfaError::Change(error) => error.into(),
            MfaError::Random(_) | MfaError::Seal(_) | MfaError::Uri(_) | MfaError::QrCode(_) => {
                Self::internal(error)
            }
        }
    }
}
