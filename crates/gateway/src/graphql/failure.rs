//! From the errors of use-cases to GraphQL errors. What the client can help is said; what it can't is
//! logged here, once, and masked.

use async_graphql::{Context, Error, ErrorExtensions};
use contracts::ErrorCode;
use orders::OrderError;
use service_kit::problem::chain;
use service_kit::rate_limit::TooMany;
use user_directory::DirectoryError;

use super::code::Code;
use crate::caller::Caller;
use crate::listing::InvalidListing;

/// An error with the GraphQL code and, as `problem`, the code of the common table.
pub(super) fn failure(code: ErrorCode, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, values| {
        values.set("code", Code::of(code).as_str());
        values.set("problem", code.as_str());
    })
}

/// The caller, who must have sent an access token.
pub(super) fn caller<'c>(context: &Context<'c>) -> Result<&'c Caller, Error> {
    context.data_opt::<Caller>().ok_or_else(|| {
        failure(
            ErrorCode::Unauthenticated,
            "Log in and send the access token.",
        )
    })
}

/// A use-case failed.
pub(super) fn order_failure(error: &OrderError) -> Error {
    if matches!(error, OrderError::Forbidden) {
        return failure(ErrorCode::Forbidden, ErrorCode::Forbidden.title());
    }
    let code = if error.is_transient() {
        ErrorCode::Unavailable
    } else {
        ErrorCode::Internal
    };
    tracing::error!(cause = %chain(error), "a use-case failed");
    failure(code, code.title())
}

/// The caller must wait, for as many seconds as `retryAfter` says.
pub(super) fn too_many_failure(too_many: &TooMany) -> Error {
    let code = ErrorCode::TooManyRequests;
    let seconds = too_many.retry_after_seconds();
    failure(code, code.title()).extend_with(|_, values| values.set("retryAfter", seconds))
}

/// The user directory can't tell now. Who called it has logged why.
pub(super) fn directory_failure(error: &DirectoryError) -> Error {
    let code = if error.is_transient() {
        ErrorCode::Unavailable
    } else {
        ErrorCode::Internal
    };
    failure(code, code.title())
}

/// Something of ours failed.
pub(super) fn internal_failure(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(cause = %chain(error), "a field failed");
    failure(ErrorCode::Internal, ErrorCode::Internal.title())
}

/// A list can't be shown as asked.
pub(super) fn listing_failure(error: InvalidListing) -> Error {
    failure(error.code(), error.to_string())
}
