use std::io;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde_json::json;

/// A refusal as Stripe writes it (<https://docs.stripe.com/api/errors>).
#[derive(Debug, thiserror::Error)]
#[error("{status}: {message}")]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    param: Option<String>,
    #[source]
    source: Option<io::Error>,
}

impl ApiError {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            source: None,
        }
    }

    pub fn parameter(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            param: Some(param.to_owned()),
            ..Self::invalid(message)
        }
    }

    pub fn missing(object: &'static str, id: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::parameter(
                "resource_missing",
                "id",
                format!("No such {object}: '{id}'"),
            )
        }
    }

    pub fn unknown_route(method: &str, path: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::invalid(format!("Unrecognized request URL ({method}: {path})"))
        }
    }

    pub fn wrong_key() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::invalid("Invalid API Key provided")
        }
    }

    pub fn not_charged(intent_id: &str) -> Self {
        Self::invalid(format!(
            "This PaymentIntent ({intent_id}) does not have a successful charge to refund."
        ))
    }

    pub fn already_refunded() -> Self {
        Self {
            code: Some("charge_already_refunded"),
            ..Self::invalid("The charge has already been refunded.")
        }
    }

    /// As it is for a payment that its customer has the bank look into.
    pub fn disputed() -> Self {
        Self {
            code: Some("charge_disputed"),
            ..Self::invalid("The charge you're attempting to refund has been charged back.")
        }
    }

    pub fn idempotency_mismatch() -> Self {
        Self {
            kind: "idempotency_error",
            ..Self::invalid(
                "Keys for idempotent requests can only be used with the same parameters they were \
                 first used with.",
            )
        }
    }

    pub fn rate_limit() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: Some("rate_limit"),
            ..Self::invalid("Too many payments are waiting to settle.")
        }
    }

    /// A failure on demand.
    pub fn failure(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            kind: "api_error",
            ..Self::invalid("The payment double fails, as it was told to.")
        }
    }

    pub fn storage(source: io::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "api_error",
            source: Some(source),
            ..Self::invalid("The payment double can't write its journal.")
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(source) = &self.source {
            tracing::error!(error = source as &dyn std::error::Error, "{self}");
        }
        HttpResponse::build(self.status).json(json!({ "error": {
            "type": self.kind,
            "code": self.code,
            "message": self.message,
            "param": self.param,
        }}))
    }
}
