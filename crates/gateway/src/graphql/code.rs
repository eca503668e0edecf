//! The codes of GraphQL errors: `extensions.code` is stable and what programs match on.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};
use contracts::ErrorCode;
use service_kit::rate_limit::TooMany;

/// The usual codes of the GraphQL world (Apollo's table), and those that a limit of ours needs.
/// The document guard has codes of its own: [`super::guard::Refusal::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The HTTP request, or its parameters, make no GraphQL request.
    BadRequest,
    /// The document is not well-formed.
    ParseFailed,
    /// The document doesn't fit the schema.
    ValidationFailed,
    /// The request names no operation of its document, or can't tell which one is meant.
    OperationResolutionFailure,
    /// No trusted document has this id.
    DocumentNotFound,
    /// Only trusted documents are executed, and this is none.
    DocumentNotTrusted,
    /// A value, or a combination of values, is not valid.
    BadUserInput,
    /// No access token, or one that is not valid.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// The request contradicts what happens at the same time.
    Conflict,
    /// Accept names no media type that is served here.
    NotAcceptable,
    /// The method is not for this operation.
    MethodNotAllowed,
    /// The body is too large.
    PayloadTooLarge,
    /// The body's media type is not supported.
    UnsupportedMediaType,
    /// Too many requests, connections or subscriptions.
    TooManyRequests,
    /// The operation took too long.
    Timeout,
    /// A dependency is away.
    ServiceUnavailable,
    /// Something failed that the client can't help; what it was stays in the log.
    InternalServerError,
}

impl Code {
    /// As it stands in `extensions.code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::DocumentNotFound => "PERSISTED_DOCUMENT_NOT_FOUND",
            Self::DocumentNotTrusted => "PERSISTED_DOCUMENT_REQUIRED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::TooManyRequests => "TOO_MANY_REQUESTS",
            Self::Timeout => "TIMEOUT",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The GraphQL code for a code of the common table, by its HTTP status.
    #[must_use]
    pub const fn of(code: ErrorCode) -> Self {
        match code.status() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            413 => Self::PayloadTooLarge,
            415 => Self::UnsupportedMediaType,
            429 => Self::TooManyRequests,
            503 => Self::ServiceUnavailable,
            504 => Self::Timeout,
            400..=499 => Self::BadUserInput,
            _ => Self::InternalServerError,
        }
    }
}

/// An error with its code, at the places it is about.
pub(super) fn error(
    code: &'static str,
    message: impl Into<String>,
    locations: Vec<Pos>,
) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.locations = locations;
    set_code(&mut error, code);
    error
}

/// The caller must wait, for as many seconds as `retryAfter` says.
pub(super) fn too_many_error(too_many: &TooMany) -> ServerError {
    let message = ErrorCode::TooManyRequests.title();
    let mut error = error(Code::TooManyRequests.as_str(), message, Vec::new());
    extensions_of(&mut error).set("retryAfter", too_many.retry_after_seconds());
    error
}

/// Gives `error` its `extensions.code`.
pub(super) fn set_code(error: &mut ServerError, code: &'static str) {
    extensions_of(error).set("code", code);
}

/// The error's extensions, created when it has none.
pub(super) fn extensions_of(error: &mut ServerError) -> &mut ErrorExtensionValues {
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_code_has_a_graphql_code_that_blames_the_same_side() {
        for &code in ErrorCode::ALL {
            let ours = matches!(
                Code::of(code),
                Code::InternalServerError | Code::ServiceUnavailable | Code::Timeout
            );
            assert_eq!(ours, code.status() >= 500, "{}", code.as_str());
        }
    }
}
