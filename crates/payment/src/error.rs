/// How a call to the payment provider ended, when it did not succeed. Each variant answers the one
/// question the caller has: may the customer have been charged?
///
/// It speaks of this call alone: after an earlier call with the same idempotency key ended
/// [`Unknown`](Self::Unknown), an [`Unavailable`](Self::Unavailable) leaves it unknown.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// Definite: the issuer refused and nothing was charged. Repeating the key repeats the refusal;
    /// another attempt takes a new key.
    #[error("declined ({code}): {message}")]
    Declined {
        /// Stripe's decline code where it gives one (`generic_decline`, `insufficient_funds`),
        /// else its error code.
        code: String,
        /// Stripe's sentence for the customer.
        message: String,
        intent_id: Option<String>,
    },
    /// Definite: the call was never processed and charged nothing. Repeat it later, with the same key.
    #[error("the payment provider is unavailable; this call charged nothing")]
    Unavailable(#[source] Failure),
    /// The call may have charged. Repeat it with the same key, which can't charge a second time.
    #[error("the outcome of the payment call is unknown; it may have charged")]
    Unknown(#[source] Failure),
    /// Definite: refused as wrong before anything was charged. Repeating it can't help: the request,
    /// the secret key or the configuration has to change.
    #[error("the payment provider refused the request as wrong")]
    Rejected(#[source] Failure),
}

/// What was seen of a failed call.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("the HTTP exchange failed")]
    Transport(#[source] reqwest::Error),
    #[error("status {status}{}: {message}", .code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Status {
        status: u16,
        /// Stripe's error code, such as `charge_already_refunded` or `resource_missing`; its error
        /// type, such as `idempotency_error`, where it has no code.
        code: Option<String>,
        message: String,
    },
    #[error("the answer is longer than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the answer can't be read")]
    Unreadable(#[source] serde_json::Error),
}

impl PaymentError {
    /// The provider's own code for the failure, if it answered with one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Declined { code, .. } => Some(code),
            Self::Unavailable(failure) | Self::Unknown(failure) | Self::Rejected(failure) => {
                failure.code()
            }
        }
    }
}

impl Failure {
    fn code(&self) -> Option<&str> {
        match self {
            Self::Status { code, .. } => code.as_deref(),
            Self::Transport(_) | Self::TooLarge { .. } | Self::Unreadable(_) => None,
        }
    }
}
