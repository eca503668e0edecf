use std::time::Duration;

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ApiError;
use crate::double::Double;

/// How long a call that is not to be answered is held: longer than any client waits.
const HANG: Duration = Duration::from_secs(120);

pub(crate) struct Access {
    pub secret_key: SecretString,
    pub stop: CancellationToken,
}

impl Access {
    /// Holds the connection until its client, or the double, has had enough.
    pub async fn never_answer(&self) -> HttpResponse {
        self.pause(HANG).await;
        HttpResponse::GatewayTimeout().finish()
    }

    async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(duration) => {}
        }
    }

    fn admits(&self, authorization: &str) -> bool {
        let key = match authorization.split_once(' ') {
            Some(("Bearer", key)) => key.as_bytes().to_vec(),
            Some(("Basic", credentials)) => basic_user(credentials).unwrap_or_default(),
            _ => return false,
        };
        let expected = self.secret_key.expose_secret().as_bytes();
        expected.ct_eq(&key).into()
    }
}

/// Middleware: refuses a call without the secret key.
pub(super) async fn require_key(
    access: web::Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let authorization = request.headers().get(AUTHORIZATION);
    match authorization.and_then(|value| value.to_str().ok()) {
        Some(authorization) if access.admits(authorization) => next.call(request).await,
        _ => Err(ApiError::wrong_key().into()),
    }
}

/// Middleware: fails or delays a call as the switches say.
pub(super) async fn misbehave(
    access: web::Data<Access>,
    double: web::Data<Double>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(status) = double.take_failure() {
        return Err(ApiError::failure(status).into());
    }
    let response = next.call(request).await;
    let delay = double.behaviour().answer_delay_ms;
    if delay > 0 {
        access.pause(Duration::from_millis(delay.into())).await;
    }
    response
}

/// The user name of Basic credentials (RFC 7617): Stripe takes the key there.
fn basic_user(credentials: &str) -> Option<Vec<u8>> {
    let mut user = BASE64_STANDARD.decode(credentials).ok()?;
    let colon = user.iter().position(|byte| *byte == b':')?;
    user.truncate(colon);
    Some(user)
}
