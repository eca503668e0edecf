//! From the provider's answer, or the lack of one, to what is known about the charge.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    Failure, PaymentError,
    model::{ErrorFields, IntentFailure},
};

/// The longest answer that is read: a page of 100 intents is about 300 KiB.
pub const MAX_RESPONSE_BYTES: usize = 1 << 20;

pub(crate) async fn receive<T: DeserializeOwned>(
    request: RequestBuilder,
) -> Result<T, PaymentError> {
    let response = request.send().await.map_err(not_answered)?;
    let status = response.status();
    let body = read_bounded(response).await;
    if status != StatusCode::OK {
        return Err(refused(status, body));
    }
    // The call was done; when its answer can't be read, what came of it is unknown.
    let body = body.map_err(PaymentError::Unknown)?;
    serde_json::from_slice(&body).map_err(|error| PaymentError::Unknown(Failure::Unreadable(error)))
}

/// Only a call that never left this machine is known not to have charged.
fn not_answered(error: reqwest::Error) -> PaymentError {
    let (is_builder, is_connect) = (error.is_builder(), error.is_connect());
    let failure = Failure::Transport(error.without_url());
    if is_builder {
        PaymentError::Rejected(failure)
    } else if is_connect {
        PaymentError::Unavailable(failure)
    } else {
        PaymentError::Unknown(failure)
    }
}

async fn read_bounded(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Failure::Transport(error.without_url()))?
    {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(Failure::TooLarge {
                limit: MAX_RESPONSE_BYTES,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Source: <https://docs.stripe.com/api/errors>, "HTTP status code summary".
fn refused(status: StatusCode, body: Result<Vec<u8>, Failure>) -> PaymentError {
    let (error, failure) = match body {
        Ok(body) => {
            let error = ErrorFields::from_answer(&body);
            let failure = error.to_failure(status);
            (error, failure)
        }
        Err(failure) => (ErrorFields::default(), failure),
    };
    match status.as_u16() {
        // Only Stripe's own error object makes it a decline.
        402 if error.kind.is_some() => declined(error),
        429 => PaymentError::Unavailable(failure),
        // 409: another call with this key is under way, and may be charging.
        402 | 409 => PaymentError::Unknown(failure),
        300..=499 => PaymentError::Rejected(failure),
        // A 5xx may come from after the charge, or from a proxy that gave up waiting for it.
        _ => PaymentError::Unknown(failure),
    }
}

fn declined(mut error: ErrorFields) -> PaymentError {
    let intent_id = error.payment_intent.take().map(|intent| intent.id);
    let IntentFailure { code, message } = error.into();
    PaymentError::Declined {
        code,
        message,
        intent_id,
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: ErrorFields,
}

impl ErrorFields {
    /// Nothing, when the answer isn't Stripe's: a proxy's page, say.
    fn from_answer(body: &[u8]) -> Self {
        serde_json::from_slice(body)
            .map(|Refusal { error }| error)
            .unwrap_or_default()
    }

    fn to_failure(&self, status: StatusCode) -> Failure {
        Failure::Status {
            status: status.as_u16(),
            code: self.code.clone().or_else(|| self.kind.clone()),
            message: self
                .message
                .clone()
                .unwrap_or_else(|| "no reason given".to_owned()),
        }
    }
}
