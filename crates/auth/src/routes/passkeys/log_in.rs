use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};
use webauthn_rs::prelude::PublicKeyCredential;

use crate::{
    context::Context,
    origin::Origin,
    routes::{
        SessionAnswer,
        browser::{Browser, RefreshTokenTransport},
    },
    use_cases::passkeys::{PasskeyLogInError, log_in_with_passkey},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct PasskeyLogInRequest {
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    ceremony: String,
    /// The `PublicKeyCredential`, by its `toJSON()`.
    #[schema(value_type = Object)]
    credential: PublicKeyCredential,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_transport: RefreshTokenTransport,
}

impl From<PasskeyLogInError> for Problem {
    fn from(error: PasskeyLogInError) -> Self {
        match error {
            PasskeyLogInError::Refused => Self::new(ErrorCode::PasskeyRefused),
            PasskeyLogInError::AccountDisabled => Self::new(ErrorCode::AccountDisabled),
            PasskeyLogInError::Ceremony(error) => error.into(),
            PasskeyLogInError::Begin(error) => error.into(),
        }
    }
}

/// Log in with a passkey.
///
/// With what `navigator.credentials.get` returned. A passkey is two factors in one: no other is
/// asked for.
#[utoipa::path(
    post,
    path = "/auth/v1/sessions/passkey",
    operation_id = "logInWithPasskey",
    tag = "passkeys",
    request_body = PasskeyLogInRequest,
    responses(
        (status = 201, description = "Logged in", body = SessionAnswer),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid-challenge` or `passkey-refused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account-disabled` or `cross-site-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`passkeys-unavailable`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    browser: Browser,
    Json(request): Json<PasskeyLogInRequest>,
) -> Result<HttpResponse, Problem> {
    let PasskeyLogInRequest {
        ceremony,
        credential,
        refresh_token_transport: transport,
    } = request;
    browser.check(transport)?;
    let tokens = log_in_with_passkey(&context, &ceremony, &credential, &origin).await?;
    Ok(transport.answer(&context, HttpResponse::Created(), tokens))
}
