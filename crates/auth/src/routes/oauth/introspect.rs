use actix_web::{HttpResponse, web};
use contracts::AccessTokenClaims;
use kernel::Role;
use serde::{Deserialize, Serialize};
use service_kit::{
    access_token::Verifier,
    problem::{Problem, ProblemBody},
};

use super::{OAuthError, OAuthErrorBody, OAuthRequest, answer};
use crate::{
    context::Context,
    use_cases::{
        authenticate_client::authenticate_client,
        introspect_token::{IntrospectError, introspect_token},
    },
};

/// RFC 7662 §2.1.
#[derive(Deserialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "for the document; OAuthRequest reads the form")]
pub(in crate::routes) struct IntrospectionRequest {
    token: String,
    /// Not needed.
    #[schema(example = "access_token")]
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// RFC 7662 §2.2. For a token that is not active there is nothing but that.
#[derive(Default, Serialize, utoipa::ToSchema)]
struct Introspection {
    active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    token: Option<ActiveToken>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ActiveToken {
    #[schema(example = "Bearer")]
    token_type: &'static str,
    iss: String,
    sub: uuid::Uuid,
    aud: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: uuid::Uuid,
    client_id: String,
    scope: String,
    #[schema(value_type = Vec<String>, example = json!(["customer"]))]
    roles: Vec<Role>,
}

impl From<AccessTokenClaims> for ActiveToken {
    fn from(claims: AccessTokenClaims) -> Self {
        Self {
            token_type: "Bearer",
            iss: claims.iss,
            sub: claims.sub.as_uuid(),
            aud: claims.aud,
            exp: claims.exp,
            iat: claims.iat,
            nbf: claims.nbf,
            jti: claims.jti,
            client_id: claims.client_id,
            scope: claims.scope,
            roles: claims.roles,
        }
    }
}

impl From<IntrospectError> for OAuthError {
    fn from(error: IntrospectError) -> Self {
        match error {
            IntrospectError::Forbidden => Self::UnauthorizedClient,
            IntrospectError::Unavailable(_) | IntrospectError::RevocationsUnavailable => {
                Self::Problem(Problem::unavailable(error))
            }
        }
    }
}

/// Ask what an access token is.
///
/// RFC 7662, for programs whose service account has `tokens:introspect`. A token that is not valid
/// now, or is for another audience than the account's, is `{"active": false}`.
#[utoipa::path(
    post,
    path = "/auth/oauth2/introspect",
    operation_id = "introspectToken",
    tag = "oauth2",
    security(("client" = [])),
    request_body(content = IntrospectionRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What the token is", body = Introspection),
        (status = 400, description = "`invalid_request` or `unauthorized_client`", body = OAuthErrorBody),
        (status = 401, description = "`invalid_client`", body = OAuthErrorBody),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    verifier: web::Data<Verifier>,
    request: OAuthRequest,
) -> Result<HttpResponse, OAuthError> {
    let token = request.require("token", "token is missing.")?;
    let account = authenticate_client(&context, request.credentials()?).await?;
    let claims = introspect_token(&verifier, &account, token).await?;
    let body = Introspection {
        active: claims.is_some(),
        token: claims.map(Into::into),
    };
    Ok(answer(HttpResponse::Ok(), &body))
}
