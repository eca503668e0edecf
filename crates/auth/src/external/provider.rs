use std::{sync::Arc, time::Duration};

use kernel::{Email, SharedClock};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, ConfigurationError, CsrfToken,
    DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, TokenResponse as _, UserInfoError,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims,
        CoreTokenResponse, CoreUserInfoClaims,
    },
};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{
    address::AddressPolicy,
    config::ExternalProviderConfig,
    http::{HttpError, ProviderHttp},
    id_token::{self, Expected, IdTokenError},
    login_secrets::LoginSecrets,
    metadata::{Metadata, MetadataCache},
};
use crate::display_name::DisplayName;

/// One provider, and this installation as its client.
pub(crate) struct Provider {
    config: ExternalProviderConfig,
    client_id: ClientId,
    redirect_url: RedirectUrl,
    http: ProviderHttp,
    metadata: MetadataCache,
    clock: SharedClock,
}

/// What came back from the provider, besides the state.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub code: String,
    /// RFC 9207.
    pub issuer: Option<String>,
}

/// Who the provider says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExternalPerson {
    pub issuer: String,
    /// With the issuer, the only thing by which a person is recognised.
    pub subject: String,
    /// Only if the provider has verified it.
    pub verified_email: Option<Email>,
    pub name: Option<DisplayName>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("the provider's metadata can't be had")]
    Discovery(#[source] Box<DiscoveryError<HttpError>>),
    #[error("the provider was away just now, and is left alone for a while")]
    LeftAlone { retry_after: Duration },
    #[error("the provider can't be asked")]
    Http(#[from] HttpError),
    #[error("the provider's metadata lacks what is needed")]
    Metadata(#[from] ConfigurationError),
    #[error("the provider's answer is malformed at `{0}`")]
    Malformed(String),
    #[error("the response is another issuer's")]
    WrongIssuer,
    #[error("the provider did not take the code: {0}")]
    CodeRefused(String),
    #[error("the provider sent no ID token")]
    NoIdToken,
    #[error("the ID token is not acceptable")]
    IdToken(#[from] IdTokenError),
}

/// How long to wait before a malformed answer may have been mended.
const RETRY_AFTER: Duration = Duration::from_secs(30);

impl ProviderError {
    /// How long to wait, if the provider is to blame and may be well again then. `None`: this
    /// log-in has failed for good.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Discovery(error) => match error.as_ref() {
                DiscoveryError::Request(error) => Some(error.retry_after()),
                _ => Some(RETRY_AFTER),
            },
            Self::LeftAlone { retry_after } => Some(*retry_after),
            Self::Http(error) => Some(error.retry_after()),
            Self::Metadata(_) | Self::Malformed(_) => Some(RETRY_AFTER),
            Self::WrongIssuer | Self::CodeRefused(_) | Self::NoIdToken | Self::IdToken(_) => None,
        }
    }
}

/// As metadata describes it: maybe with a token and a userinfo endpoint.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    pub(super) fn new(
        config: ExternalProviderConfig,
        issuer: IssuerUrl,
        redirect_url: RedirectUrl,
        timeout: Duration,
        clock: SharedClock,
    ) -> Result<Self, reqwest::Error> {
        let addresses = if config.allow_private_network {
            AddressPolicy::PrivateToo
        } else {
            AddressPolicy::Public
        };
        let http = ProviderHttp::new(addresses, timeout, Arc::clone(&clock))?;
        Ok(Self {
            client_id: ClientId::new(config.client_id.clone()),
            metadata: MetadataCache::new(issuer, http.clone(), Arc::clone(&clock)),
            config,
            redirect_url,
            http,
            clock,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    pub(crate) fn display_name(&self) -> &str {
        &self.config.display_name
    }

    /// Where to send the person: the provider's authorization endpoint, with this log-in's state,
    /// nonce and PKCE challenge.
    pub(crate) async fn authorization_url(
        &self,
        secrets: &LoginSecrets,
    ) -> Result<Url, ProviderError> {
        let metadata = self.metadata.get().await?;
        let endpoint = metadata.authorization_endpoint().url();
        self.http.check(endpoint)?;
        let state = CsrfToken::new(secrets.state.expose());
        let nonce = Nonce::new(secrets.nonce.expose());
        let verifier = PkceCodeVerifier::new(secrets.pkce_verifier.expose());
        let scopes = self.config.scopes.iter().cloned().map(Scope::new);
        let (url, _, _) = self
            .client(&metadata)
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || state,
                || nonce,
            )
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// Redeems the code, once its state was found to be that of `secrets`.
    pub(crate) async fn complete(
        &self,
        callback: Callback,
        secrets: &LoginSecrets,
    ) -> Result<ExternalPerson, ProviderError> {
        let metadata = self.metadata.get().await?;
        check_response_issuer(&metadata, callback.issuer.as_deref())?;
        let tokens = self.redeem(&metadata, callback.code, secrets).await?;
        let claims = self.verify(metadata, &tokens, secrets).await?;
        let mut person = Claims::from(&claims);
        // Many providers tell the address only there (OpenID Connect Core 1.0 §5.4).
        if person.email.is_none()
            && let Some(user_info) = self.user_info(&claims, &tokens).await?
        {
            person = Claims::from(&user_info);
        }
        Ok(ExternalPerson {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            verified_email: person.verified_email(),
            name: person.display_name(),
        })
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: String,
        secrets: &LoginSecrets,
    ) -> Result<CoreTokenResponse, ProviderError> {
        self.client(metadata)
            .exchange_code(AuthorizationCode::new(code))?
            .set_pkce_verifier(PkceCodeVerifier::new(secrets.pkce_verifier.expose()))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(refusal) => {
                    ProviderError::CodeRefused(refusal.error().as_ref().to_owned())
                }
                RequestTokenError::Request(error) => error.into(),
                // The answer has tokens in it, and the cause may quote them.
                RequestTokenError::Parse(error, _) => {
                    ProviderError::Malformed(error.path().to_string())
                }
                RequestTokenError::Other(problem) => ProviderError::Malformed(problem),
            })
    }

    /// With the keys that are known, or with new ones if the token names another.
    async fn verify(
        &self,
        metadata: Arc<Metadata>,
        tokens: &CoreTokenResponse,
        secrets: &LoginSecrets,
    ) -> Result<CoreIdTokenClaims, ProviderError> {
        let id_token = tokens.id_token().ok_or(ProviderError::NoIdToken)?;
        let expected = Expected {
            client_id: &self.client_id,
            nonce: &Nonce::new(secrets.nonce.expose()),
            access_token: tokens.access_token(),
            now: self.clock.now(),
        };
        match id_token::verify(id_token, &metadata, &expected) {
            Err(error) if error.is_unknown_key() => {
                let metadata = self.metadata.refreshed().await?;
                Ok(id_token::verify(id_token, &metadata, &expected)?)
            }
            verified => Ok(verified?),
        }
    }

    /// What the userinfo endpoint, if there is one, says of the ID token's subject.
    async fn user_info(
        &self,
        claims: &CoreIdTokenClaims,
        tokens: &CoreTokenResponse,
    ) -> Result<Option<CoreUserInfoClaims>, ProviderError> {
        let metadata = self.metadata.get().await?;
        if metadata.userinfo_endpoint().is_none() {
            return Ok(None);
        }
        let subject = claims.subject().clone();
        let user_info = self
            .client(&metadata)
            .user_info(tokens.access_token().clone(), Some(subject))?
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                UserInfoError::ClaimsVerification(error) => IdTokenError::from(error).into(),
                UserInfoError::Request(error) => error.into(),
                UserInfoError::Parse(error) => ProviderError::Malformed(error.path().to_string()),
                UserInfoError::Response(_, _, problem) | UserInfoError::Other(problem) => {
                    ProviderError::Malformed(problem)
                }
                _ => ProviderError::Malformed("userinfo".to_owned()),
            })?;
        Ok(Some(user_info))
    }

    fn client(&self, metadata: &Metadata) -> Client {
        let secret = self.config.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        CoreClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), secret)
            .set_redirect_uri(self.redirect_url.clone())
            .set_auth_type(auth_type(metadata))
    }
}

/// Basic is the default (OpenID Connect Discovery 1.0 §3).
fn auth_type(metadata: &Metadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let in_body = methods.is_some_and(|methods| {
        methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
    });
    if in_body {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}

/// RFC 9207 §2.4: whose response it is must be known before anything in it is used, or a code of
/// one provider could be carried to another. A provider that does not say it is known by the state,
/// since every log-in keeps the provider at which it began.
fn check_response_issuer(metadata: &Metadata, issuer: Option<&str>) -> Result<(), ProviderError> {
    let required = metadata
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    match issuer {
        Some(issuer) if issuer == metadata.issuer().as_str() => Ok(()),
        None if !required => Ok(()),
        Some(_) | None => Err(ProviderError::WrongIssuer),
    }
}

/// The claims of interest, wherever they stand.
struct Claims {
    email: Option<String>,
    email_verified: Option<bool>,
    name: Option<String>,
}

impl Claims {
    fn verified_email(&self) -> Option<Email> {
        let email = self
            .email
            .as_deref()
            .filter(|_| self.email_verified == Some(true))?;
        Email::parse(email).ok()
    }

    fn display_name(&self) -> Option<DisplayName> {
        DisplayName::parse(self.name.as_deref()?).ok()
    }
}

macro_rules! claims_from {
    ($source:ty) => {
        impl From<&$source> for Claims {
            fn from(claims: &$source) -> Self {
                Self {
                    email: claims.email().map(|email| email.to_string()),
                    email_verified: claims.email_verified(),
                    name: claims
                        .name()
                        .and_then(|name| name.get(None))
                        .map(|name| name.to_string()),
                }
            }
        }
    };
}

claims_from!(CoreIdTokenClaims);
claims_from!(CoreUserInfoClaims);
