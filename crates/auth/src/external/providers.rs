use std::sync::Arc;

use kernel::SharedClock;
use openidconnect::{IssuerUrl, RedirectUrl};

use super::{
    config::{ExternalLoginConfig, InvalidExternalProvider},
    provider::Provider,
};

/// The allow-list: no other provider is ever asked.
pub(crate) struct ExternalProviders(Vec<Provider>);

#[derive(Debug, thiserror::Error)]
pub enum ExternalProvidersError {
    #[error(transparent)]
    Invalid(#[from] InvalidExternalProvider),
    #[error("a URL of an external provider is malformed")]
    Url(#[from] url::ParseError),
    #[error("the HTTP client for external providers can't be set up")]
    Http(#[from] reqwest::Error),
}

impl ExternalProviders {
    /// Asks no provider anything yet: one that is away must not keep the service from starting.
    pub(crate) fn new(
        config: ExternalLoginConfig,
        redirect_url: String,
        clock: &SharedClock,
    ) -> Result<Self, ExternalProvidersError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(problem.into());
        }
        let timeout = config.request_timeout;
        let redirect_url = RedirectUrl::new(redirect_url)?;
        let mut providers = Vec::with_capacity(config.providers.len());
        for provider in config.providers {
            let issuer = IssuerUrl::new(provider.issuer.clone())?;
            let redirect_url = redirect_url.clone();
            let clock = Arc::clone(clock);
            providers.push(Provider::new(
                provider,
                issuer,
                redirect_url,
                timeout,
                clock,
            )?);
        }
        Ok(Self(providers))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.name() == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }
}
