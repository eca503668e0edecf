use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::PasskeyBody;
use crate::{
    context::Context,
    display_name::DisplayName,
    origin::Origin,
    routes::secret_answer,
    use_cases::passkeys::{NewPasskey, add_passkey},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct AddPasskeyRequest {
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    ceremony: String,
    /// By which its owner tells it from others.
    #[schema(min_length = 1, max_length = 100, example = "My telephone")]
    name: String,
    /// The `PublicKeyCredential`, by its `toJSON()`.
    #[schema(value_type = Object)]
    credential: RegisterPublicKeyCredential,
}

/// Add a passkey.
///
/// With what `navigator.credentials.create` returned.
#[utoipa::path(
    post,
    path = "/auth/v1/me/passkeys",
    operation_id = "addPasskey",
    tag = "passkeys",
    security(("bearer" = [])),
    request_body = AddPasskeyRequest,
    responses(
        (status = 201, description = "It can be used from now on", body = PasskeyBody),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token`, `step-up-required`, `invalid-challenge` or `passkey-refused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`passkeys-unavailable` or `passkey-taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<AddPasskeyRequest>,
) -> Result<HttpResponse, Problem> {
    let name = DisplayName::parse(&request.name).map_err(|error| {
        Problem::new(ErrorCode::Validation).field("name", "invalid", error.to_string())
    })?;
    let new = NewPasskey {
        ceremony: request.ceremony,
        name,
        credential: request.credential,
    };
    let added = add_passkey(&context, caller.actor(), new, &origin).await?;
    Ok(secret_answer(
        HttpResponse::Created(),
        &PasskeyBody::from(added),
    ))
}
