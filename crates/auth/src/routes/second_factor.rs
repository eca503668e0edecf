//! What the two requests that carry a second factor have in common.

use std::time::Duration;

use contracts::ErrorCode;
use service_kit::problem::Problem;

use super::database_problem;
use crate::use_cases::second_factor::{SecondFactor, SecondFactorError};

/// At most one of the two.
pub(super) fn parse(
    code: Option<String>,
    recovery_code: Option<String>,
) -> Result<Option<SecondFactor>, Problem> {
    match (code, recovery_code) {
        (Some(_), Some(_)) => Err(Problem::new(ErrorCode::Validation).field(
            "recovery_code",
            "ambiguous",
            "stands instead of `code`, not beside it",
        )),
        (Some(code), None) => Ok(Some(SecondFactor::Totp(code))),
        (None, Some(code)) => Ok(Some(SecondFactor::RecoveryCode(code))),
        (None, None) => Ok(None),
    }
}

pub(super) fn missing() -> Problem {
    let message = "or `recovery_code` is required";
    Problem::new(ErrorCode::Validation).field("code", "required", message)
}

pub(super) fn locked(retry_after: Duration) -> Problem {
    Problem::new(ErrorCode::SecondFactorLocked).retry_after(retry_after)
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Database(error) => database_problem(error),
            SecondFactorError::Unseal(_)
            | SecondFactorError::Damaged(_)
            | SecondFactorError::Mail(_) => Self::internal(error),
        }
    }
}
