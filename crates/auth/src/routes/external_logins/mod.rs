//! Log-in at an external provider: begun here, continued there, completed by the page to which the
//! provider sends the browser back.

pub(super) mod begin;
pub(super) mod callback_page;
pub(super) mod complete;
pub(super) mod list_providers;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use contracts::ErrorCode;
use serde::Serialize;
use service_kit::problem::Problem;
use url::Url;

use super::database_problem;
use crate::{
    external::ProviderError,
    secret::OpaqueToken,
    use_cases::begin_external_login::{BeginExternalLoginError, BegunLogin, LIFETIME},
};

/// Tells the browser that began a log-in from every other one. No other host can set it, and no
/// other site has it sent (RFC 6265bis §4.1.3).
const BINDING_COOKIE: &str = "__Host-plumbline_external_login";
const CALLBACK: &str = "auth/v1/external-logins/callback";

/// The redirect URI that every provider has to know.
pub(crate) fn callback_url(public_url: &Url) -> String {
    let origin = public_url.as_str().trim_end_matches('/');
    format!("{origin}/{CALLBACK}")
}

/// A log-in that goes on at a provider.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BegunLoginAnswer {
    /// Where to send the person, within ten minutes.
    #[schema(
        format = "uri",
        example = "https://login.example.com/authorize?response_type=code&client_id=plumbline"
    )]
    authorization_url: String,
    /// How long the log-in can be completed, in seconds.
    #[schema(example = 600)]
    expires_in: i64,
}

impl BegunLoginAnswer {
    pub(super) fn new(login: &BegunLogin) -> Self {
        Self {
            authorization_url: login.authorization_url.to_string(),
            expires_in: LIFETIME.num_seconds(),
        }
    }
}

/// The token of this browser, if it has one.
pub(super) fn browser(request: &HttpRequest) -> Option<OpaqueToken> {
    let cookie = request.cookie(BINDING_COOKIE)?;
    OpaqueToken::parse(cookie.value()).ok()
}

pub(super) fn binding_cookie(binding: &OpaqueToken) -> Cookie<'static> {
    Cookie::build(BINDING_COOKIE, binding.expose())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(time::Duration::seconds(LIFETIME.num_seconds()))
        .finish()
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        match error.retry_after() {
            Some(retry_after) => {
                Self::new(ErrorCode::ExternalProviderUnavailable).retry_after(retry_after)
            }
            None => Self::new(ErrorCode::ExternalLoginFailed),
        }
        .cause(error)
    }
}

impl From<BeginExternalLoginError> for Problem {
    fn from(error: BeginExternalLoginError) -> Self {
        match error {
            BeginExternalLoginError::Forbidden => Self::new(ErrorCode::Forbidden),
            BeginExternalLoginError::UnknownProvider => {
                Self::new(ErrorCode::ExternalProviderNotFound)
            }
            BeginExternalLoginError::Provider(error) => error.into(),
            BeginExternalLoginError::Database(error) => database_problem(error),
            BeginExternalLoginError::Random(_) | BeginExternalLoginError::Seal(_) => {
                Self::internal(error)
            }
        }
    }
}
