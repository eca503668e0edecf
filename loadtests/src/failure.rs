//! Why a request did not count as answered, as a small set of stable codes.

use reqwest::StatusCode;

/// One failed operation. [`Failure::code`] groups failures in the report; the message of the first
/// of each group is shown beside it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no answer within the time limit")]
    TimedOut,
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    #[error("HTTP {status}: {detail}")]
    Status {
        status: StatusCode,
        code: Option<String>,
        detail: String,
    },
    /// A GraphQL answer with `errors`, whatever its HTTP status said.
    #[error("GraphQL error: {message}")]
    Graphql {
        code: Option<String>,
        message: String,
    },
    /// A mutation answered with `userErrors` where it should have succeeded.
    #[error("user error: {message}")]
    UserError { code: String, message: String },
    #[error("unexpected answer: {0}")]
    UnexpectedAnswer(String),
    #[error("the order ended as {0}")]
    OrderEnded(String),
    #[error("subscription: {0}")]
    Subscription(String),
    #[error("the generator has no product with stock left to order")]
    NoStock,
    #[error("never sent: the bound on requests in flight was reached, and stayed so to the end")]
    InFlightLimit,
}

impl Failure {
    /// `http-503-unavailable`, `graphql-internal-server-error`, `timed-out` ...
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::TimedOut => "timed-out".to_owned(),
            Self::Connection(_) => "connection".to_owned(),
            Self::Status {
                status, code: None, ..
            } => format!("http-{}", status.as_u16()),
            Self::Status {
                status,
                code: Some(code),
                ..
            } => {
                format!("http-{}-{}", status.as_u16(), kebab(code))
            }
            Self::Graphql { code, .. } => {
                format!(
                    "graphql-{}",
                    code.as_deref().map_or("error".to_owned(), kebab)
                )
            }
            Self::UserError { code, .. } => format!("user-error-{}", kebab(code)),
            Self::UnexpectedAnswer(_) => "unexpected-answer".to_owned(),
            Self::OrderEnded(status) => format!("order-{}", kebab(status)),
            Self::Subscription(_) => "subscription".to_owned(),
            Self::NoStock => "generator-no-stock".to_owned(),
            Self::InFlightLimit => "in-flight-limit".to_owned(),
        }
    }

    /// The message with its causes, for the report and for an operator.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Connection(error)
        }
    }
}

/// Codes come from the server: bounded in length, and one spelling for `A_B` and `a-b`.
fn kebab(code: &str) -> String {
    code.chars()
        .take(60)
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable_and_kebab_case() {
        let unavailable = Failure::Status {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: Some("database-unavailable".to_owned()),
            detail: String::new(),
        };
        let masked = Failure::Graphql {
            code: Some("INTERNAL_SERVER_ERROR".to_owned()),
            message: "masked".to_owned(),
        };
        assert_eq!(unavailable.code(), "http-503-database-unavailable");
        assert_eq!(masked.code(), "graphql-internal-server-error");
        assert_eq!(
            Failure::OrderEnded("PAYMENT_FAILED".to_owned()).code(),
            "order-payment-failed"
        );
    }
}
