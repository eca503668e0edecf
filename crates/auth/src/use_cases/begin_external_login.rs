use chrono::TimeDelta;
use kernel::{Actor, Permission};
use sea_orm::DbErr;
use url::Url;

use crate::{
    context::Context,
    external::{LoginSecrets, ProviderError},
    secret::{OpaqueToken, UnsealError},
    store::external_login,
};

/// How long a person may take at the provider.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A log-in that is under way.
pub(crate) struct BegunLogin {
    /// Where the person goes on.
    pub authorization_url: Url,
    /// For the browser to keep: only with it the log-in can be completed.
    pub binding: OpaqueToken,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginExternalLoginError {
    #[error("the actor may not change how one logs in")]
    Forbidden,
    #[error("there is no such provider")]
    UnknownProvider,
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("no randomness for a token")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error("the log-in's secrets can't be sealed")]
    Seal(#[from] UnsealError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Begins a log-in at a provider, or, with `link_to`, the linking of an identity there to the
/// actor's account.
///
/// The log-in is bound to the browser: by the token that it has from a log-in in another tab, or
/// else by a new one. Without that, somebody could begin a log-in as himself and have another
/// person's browser complete it (RFC 9700 §4.7.1).
pub(crate) async fn begin_external_login(
    context: &Context,
    provider: &str,
    browser: Option<OpaqueToken>,
    link_to: Option<&Actor>,
) -> Result<BegunLogin, BeginExternalLoginError> {
    if link_to.is_some_and(|actor| !actor.may(Permission::ManageOwnCredentials)) {
        return Err(BeginExternalLoginError::Forbidden);
    }
    let provider = context
        .external_providers
        .get(provider)
        .ok_or(BeginExternalLoginError::UnknownProvider)?;
    let binding = match browser {
        Some(browser) => browser,
        None => OpaqueToken::random()?,
    };
    let secrets = LoginSecrets::random()?;
    let authorization_url = provider.authorization_url(&secrets).await?;

    let now = context.now();
    let row = external_login::Model {
        state_hash: secrets.state.hash().into(),
        provider: provider.name().to_owned(),
        binding_hash: binding.hash().into(),
        secrets: secrets.seal(&context.keyring)?,
        user_id: link_to.map(|actor| actor.user_id.as_uuid()),
        created_at: now,
        expires_at: now + LIFETIME,
    };
    external_login::insert(context.database.writer(), row).await?;
    Ok(BegunLogin {
        authorization_url,
        binding,
    })
}
