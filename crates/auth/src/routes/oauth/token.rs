use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use service_kit::problem::{Problem, ProblemBody};

use super::{OAuthError, OAuthErrorBody, OAuthRequest, answer};
use crate::{
    context::Context,
    use_cases::{
        authenticate_client::authenticate_client,
        issue_service_token::{IssueServiceTokenError, Narrowing, issue_service_token},
    },
};

/// RFC 6749 §4.4.2. The client authenticates by HTTP Basic, or with the two parameters.
#[derive(Deserialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "for the document; OAuthRequest reads the form")]
pub(super) struct TokenRequest {
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Less than what the client has, with spaces between; all of it if left out.
    #[schema(example = "users:look-up")]
    scope: Option<String>,
    /// The client's own, or left out.
    #[schema(example = "plumbline:user-directory")]
    audience: Option<String>,
    #[schema(example = "gateway")]
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// RFC 6749 §5.1.
#[derive(Serialize, utoipa::ToSchema)]
struct TokenAnswer {
    /// A JWT, sent as `Authorization: Bearer`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// In seconds.
    #[schema(example = 600)]
    expires_in: i64,
    #[schema(example = "users:look-up")]
    scope: String,
}

impl From<IssueServiceTokenError> for OAuthError {
    fn from(error: IssueServiceTokenError) -> Self {
        match error {
            IssueServiceTokenError::Scope => Self::InvalidScope,
            IssueServiceTokenError::Audience => Self::InvalidTarget,
            IssueServiceTokenError::Sign(error) => Self::Problem(Problem::internal(error)),
        }
    }
}

/// Get a token for a program.
///
/// The client credentials grant of RFC 6749 §4.4. A client authenticates by HTTP Basic or with
/// `client_id` and `client_secret` in the body. Its token has the audience and the scope of its
/// service account, or less of the scope. Errors are those of RFC 6749 §5.2.
#[utoipa::path(
    post,
    path = "/auth/oauth2/token",
    operation_id = "issueToken",
    tag = "oauth2",
    security(("client" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token", body = TokenAnswer),
        (status = 400, description = "`invalid_request`, `unsupported_grant_type`, `invalid_scope` or `invalid_target`", body = OAuthErrorBody),
        (status = 401, description = "`invalid_client`", body = OAuthErrorBody),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    request: OAuthRequest,
) -> Result<HttpResponse, OAuthError> {
    let issued = issue(&context, &request).await;
    let outcome = if issued.is_ok() { "ok" } else { "refused" };
    metrics::counter!("plumbline_service_tokens_total", "outcome" => outcome).increment(1);
    Ok(answer(HttpResponse::Ok(), &issued?))
}

async fn issue(context: &Context, request: &OAuthRequest) -> Result<TokenAnswer, OAuthError> {
    let grant = request.require("grant_type", "grant_type is missing.")?;
    let account = authenticate_client(context, request.credentials()?).await?;
    if grant != "client_credentials" {
        return Err(OAuthError::UnsupportedGrantType);
    }
    let narrowing = Narrowing {
        scope: request.get("scope"),
        audience: request.get("audience"),
    };
    let token = issue_service_token(context, &account, narrowing)?;
    Ok(TokenAnswer {
        access_token: token.access_token,
        token_type: "Bearer",
        expires_in: context.access_tokens.lifetime.num_seconds(),
        scope: token.scope.to_string(),
    })
}
