use actix_web::{HttpRequest, HttpResponse, web};
use contracts::ErrorCode;
use serde::{Deserialize, Serialize};
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::browser;
use crate::{
    context::Context,
    external::Callback,
    origin::Origin,
    routes::{
        SessionAnswer,
        browser::{Browser, RefreshTokenTransport},
        database_problem,
        external_identities::ExternalIdentityAnswer,
        logged_in::{self, MfaRequired},
        secret_answer,
    },
    use_cases::complete_external_login::{
        CompleteExternalLoginError, CompletedLogin, ProviderResponse, complete_external_login,
    },
};

/// What stood in the query of the page to which the provider sent the browser back.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct CompleteExternalLoginRequest {
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    state: String,
    #[schema(example = "SplxlOBeZQQYbYS6WxSbIA")]
    code: String,
    /// RFC 9207. Leave it out only if the provider did.
    #[schema(example = "https://login.example.com")]
    iss: Option<String>,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_transport: RefreshTokenTransport,
}

impl From<CompleteExternalLoginRequest> for ProviderResponse {
    fn from(request: CompleteExternalLoginRequest) -> Self {
        Self {
            state: request.state,
            callback: Callback {
                code: request.code,
                issuer: request.iss,
            },
        }
    }
}

impl From<CompleteExternalLoginError> for Problem {
    fn from(error: CompleteExternalLoginError) -> Self {
        use CompleteExternalLoginError as E;
        match error {
            E::UnknownLogin => Self::new(ErrorCode::ExternalLoginFailed),
            E::Provider(error) => error.into(),
            E::EmailUnverified => Self::new(ErrorCode::ExternalEmailUnverified),
            E::AccountExists => Self::new(ErrorCode::ExternalAccountExists),
            E::IdentityTaken => Self::new(ErrorCode::ExternalIdentityTaken),
            E::AccountDisabled => Self::new(ErrorCode::AccountDisabled),
            E::Database(error) => database_problem(error),
            E::Begin(error) => error.into(),
            E::Unseal(_) | E::Mail(_) => Self::internal(error),
        }
    }
}

/// An identity that now opens one's own account.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct LinkedAnswer {
    linked: ExternalIdentityAnswer,
}

/// Complete a log-in at a provider.
///
/// Works once for each `state`, within ten minutes, in the browser that began it. A person who
/// comes for the first time gets an account, or the one with the same address, if both the provider
/// and we have verified that address. If an identity was to be linked, the answer is 200. Of an
/// account with a second factor it is 202 with a challenge, as that of a log-in by password.
#[utoipa::path(
    post,
    path = "/auth/v1/external-logins/complete",
    operation_id = "completeExternalLogin",
    tag = "external log-in",
    request_body = CompleteExternalLoginRequest,
    responses(
        (status = 200, description = "The identity is linked to the account", body = LinkedAnswer),
        (status = 201, description = "Logged in", body = SessionAnswer),
        (status = 202, description = "The provider knows the person, and a second factor is awaited", body = MfaRequired),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`external-login-failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`external-email-unverified`, `account-disabled` or `cross-site-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`external-account-exists` or `external-identity-taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`external-provider-unavailable` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    origin: Origin,
    own: Browser,
    http: HttpRequest,
    Json(request): Json<CompleteExternalLoginRequest>,
) -> Result<HttpResponse, Problem> {
    let transport = request.refresh_token_transport;
    own.check(transport)?;
    let result = match browser(&http) {
        Some(browser) => complete_external_login(&context, &browser, request.into(), &origin).await,
        None => Err(CompleteExternalLoginError::UnknownLogin),
    };
    let outcome = if result.is_ok() { "ok" } else { "refused" };
    metrics::counter!("plumbline_external_logins_total", "outcome" => outcome).increment(1);
    Ok(match result? {
        CompletedLogin::LoggedIn(logged_in) => logged_in::answer(&context, logged_in, transport),
        CompletedLogin::Linked(identity) => {
            let linked = identity.into();
            secret_answer(HttpResponse::Ok(), &LinkedAnswer { linked })
        }
    })
}
