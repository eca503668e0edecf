use actix_web::{HttpResponse, web};
use serde::Deserialize;
use service_kit::{access_token::Verifier, problem::ProblemBody};

use super::{OAuthError, OAuthErrorBody, OAuthRequest};
use crate::{
    access_tokens::CLIENT_ID,
    context::Context,
    origin::Origin,
    routes::database_problem,
    use_cases::{
        authenticate_client::authenticate_client,
        revoke_token::{RevokeTokenError, revoke_token},
    },
};

/// RFC 7009 §2.1.
#[derive(Deserialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "for the document; OAuthRequest reads the form")]
pub(in crate::routes) struct RevocationRequest {
    token: String,
    /// Not needed.
    #[schema(example = "refresh_token")]
    token_type_hint: Option<String>,
    /// `plumbline` for the tokens of people: a public client, without a secret.
    #[schema(example = "plumbline")]
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl From<RevokeTokenError> for OAuthError {
    fn from(error: RevokeTokenError) -> Self {
        match error {
            RevokeTokenError::OfAnotherClient => Self::UnauthorizedClient,
            RevokeTokenError::Database(error) => Self::Problem(database_problem(error)),
        }
    }
}

/// Revoke a token.
///
/// RFC 7009. An access token ends by itself; with a refresh token its whole session ends. A program
/// revokes its own tokens and authenticates; for a person's tokens the `client_id` is `plumbline`,
/// which has no secret: whoever holds the token may end it. 200 for what is no token, too.
#[utoipa::path(
    post,
    path = "/auth/oauth2/revoke",
    operation_id = "revokeToken",
    tag = "oauth2",
    security(("client" = []), ()),
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It does not work any more, or never did"),
        (status = 400, description = "`invalid_request` or `unauthorized_client`", body = OAuthErrorBody),
        (status = 401, description = "`invalid_client`", body = OAuthErrorBody),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    verifier: web::Data<Verifier>,
    origin: Origin,
    request: OAuthRequest,
) -> Result<HttpResponse, OAuthError> {
    let token = request.require("token", "token is missing.")?;
    if request.is_public_client(CLIENT_ID) {
        revoke_token(&context, &verifier, CLIENT_ID, token, &origin).await?;
    } else {
        let account = authenticate_client(&context, request.credentials()?).await?;
        revoke_token(&context, &verifier, &account.name, token, &origin).await?;
    }
    Ok(HttpResponse::Ok().finish())
}
