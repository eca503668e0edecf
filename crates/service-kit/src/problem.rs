//! Errors on the wire: RFC 9457 `application/problem+json`. What the client is told and what
//! caused it are kept apart; the cause is logged once, by [`crate::request_telemetry`].

use std::{error::Error, fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
    },
};
use contracts::ErrorCode;
pub use kernel::error_chain as chain;
use serde::Serialize;

use crate::request_telemetry::current_request_id;

pub const PROBLEM_JSON: &str = "application/problem+json";

#[derive(Debug)]
pub struct Problem {
    code: ErrorCode,
    detail: Option<String>,
    fields: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// One invalid field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where it stands in the body, for example `lines[0].quantity`.
    pub field: String,
    /// A stable code, for example `out_of_range`.
    pub code: String,
    pub message: String,
}

/// The body of an error, as RFC 9457 names its members.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A stable URI: `urn:plumbline:error:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:plumbline:error:validation")]
    pub problem_type: String,
    pub title: &'static str,
    #[schema(example = 422)]
    pub status: u16,
    /// The stable code that programs match on; docs/errors.md lists them all.
    #[schema(example = "validation")]
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Names this request in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            detail: None,
            fields: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Something failed that the client can't help. The cause goes to the log only.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorCode::Internal).cause(cause)
    }

    /// A dependency is away; the client may try again in a second.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorCode::Unavailable)
            .retry_after(Duration::from_secs(1))
            .cause(cause)
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn field(
        mut self,
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (field, code, message) = (field.into(), code.into(), message.into());
        self.fields.push(FieldError {
            field,
            code,
            message,
        });
        self
    }

    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = FieldError>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Whole seconds, rounded up, as RFC 9110 §10.2.3 has them.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    #[must_use]
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            problem_type: format!("urn:plumbline:error:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            code: self.code.as_str(),
            detail: self.detail.clone(),
            request_id: current_request_id(),
            errors: self.fields.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        self.detail
            .as_ref()
            .map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        // The table's statuses are checked by its own test; an impossible one is our error.
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON));
        for header in &self.headers {
            response.append_header(header.clone());
        }
        match serde_json::to_vec(&self.body()) {
            Ok(body) => response.body(body),
            Err(_) => response.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn the_client_sees_the_code_and_never_the_cause() {
        let cause = std::io::Error::other("password=hunter2");
        let response = Problem::internal(cause).error_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), PROBLEM_JSON);
        let body = to_bytes(response.into_body()).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("urn:plumbline:error:internal"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        let problem =
            Problem::new(ErrorCode::TooManyRequests).retry_after(Duration::from_millis(1001));
        assert_eq!(
            problem.error_response().headers().get(RETRY_AFTER).unwrap(),
            "2"
        );
    }

    #[test]
    fn the_chain_names_every_cause() {
        let problem = Problem::internal(std::io::Error::other("disk full"));
        assert_eq!(chain(&problem), "internal: disk full");
    }
}
