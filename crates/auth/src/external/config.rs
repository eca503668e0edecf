use std::{fmt, time::Duration};

use secrecy::SecretString;
use url::Url;

/// The providers at which people may log in, in the order in which they are offered.
#[derive(Clone, Debug)]
pub struct ExternalLoginConfig {
    pub providers: Vec<ExternalProviderConfig>,
    /// The longest that one request to a provider may take, its answer included.
    pub request_timeout: Duration,
}

impl Default for ExternalLoginConfig {
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            request_timeout: Duration::from_secs(5),
        }
    }
}

/// An OpenID Connect provider at which this installation is registered as a client.
#[derive(Clone, Debug)]
pub struct ExternalProviderConfig {
    /// Names the provider in the API: lower-case letters, digits and `-`, up to 32.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// Exactly as the provider writes it in `iss`.
    pub issuer: String,
    pub client_id: String,
    /// `None` for a public client, which has only PKCE.
    pub client_secret: Option<SecretString>,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Whether the provider may be at a private or loopback address, and speak plain HTTP.
    pub allow_private_network: bool,
}

/// What is wrong with a provider's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the external provider `{name}` {problem}")]
pub struct InvalidExternalProvider {
    pub name: String,
    pub problem: ProviderProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderProblem {
    Name,
    Twice,
    DisplayName,
    Issuer,
    PlainHttp,
    ClientId,
    Scope,
}

impl fmt::Display for ProviderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "needs a name of 1 to 32 lower-case letters, digits and `-`",
            Self::Twice => "has the name or the issuer of another one",
            Self::DisplayName => "needs a display_name",
            Self::Issuer => "needs an issuer that is a URL without query and fragment",
            Self::PlainHttp => "needs an issuer with https (or allow_private_network, to develop)",
            Self::ClientId => "needs a client_id",
            Self::Scope => "has a scope that is empty or has a space in it",
        })
    }
}

impl ExternalLoginConfig {
    /// Everything that is wrong with the providers, a problem each.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidExternalProvider> {
        let problem = |(index, provider): (usize, &ExternalProviderConfig)| {
            let same = |other: &ExternalProviderConfig| {
                other.name == provider.name || other.issuer == provider.issuer
            };
            let twice = self.providers[..index].iter().any(same);
            let problem = provider
                .problem()
                .or(twice.then_some(ProviderProblem::Twice))?;
            Some(InvalidExternalProvider {
                name: provider.name.clone(),
                problem,
            })
        };
        self.providers
            .iter()
            .enumerate()
            .filter_map(problem)
            .collect()
    }
}

impl ExternalProviderConfig {
    fn problem(&self) -> Option<ProviderProblem> {
        let is_name_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=32).contains(&self.name.len()) || !self.name.chars().all(is_name_char) {
            return Some(ProviderProblem::Name);
        }
        if self.display_name.trim().is_empty() {
            return Some(ProviderProblem::DisplayName);
        }
        let issuer = Url::parse(&self.issuer)
            .ok()
            .filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none());
        match issuer.as_ref().map(Url::scheme) {
            Some("https") => {}
            Some("http") if self.allow_private_network => {}
            Some("http") => return Some(ProviderProblem::PlainHttp),
            _ => return Some(ProviderProblem::Issuer),
        }
        if self.client_id.is_empty() {
            return Some(ProviderProblem::ClientId);
        }
        let is_scope =
            |scope: &String| !scope.is_empty() && scope.chars().all(|c| c.is_ascii_graphic());
        if !self.scopes.iter().all(is_scope) {
            return Some(ProviderProblem::Scope);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> ExternalProviderConfig {
        ExternalProviderConfig {
            name: "example".to_owned(),
            display_name: "Example".to_owned(),
            issuer: "https://login.example.com".to_owned(),
            client_id: "plumbline".to_owned(),
            client_secret: Some("canary-client-secret".into()),
            scopes: vec!["email".to_owned()],
            allow_private_network: false,
        }
    }

    #[test]
    fn each_setting_is_checked() {
        let problem = |change: fn(&mut ExternalProviderConfig)| {
            let mut provider = provider();
            change(&mut provider);
            provider.problem()
        };
        assert_eq!(problem(|_| {}), None);
        assert_eq!(problem(|p| p.client_secret = None), None);
        assert_eq!(
            problem(|p| p.name = "Ex ample".to_owned()),
            Some(ProviderProblem::Name)
        );
        assert_eq!(
            problem(|p| p.issuer = "ftp://example.com".to_owned()),
            Some(ProviderProblem::Issuer)
        );
        assert_eq!(
            problem(|p| p.issuer = "https://example.com/?a=b".to_owned()),
            Some(ProviderProblem::Issuer)
        );
        assert_eq!(
            problem(|p| p.issuer = "http://example.com".to_owned()),
            Some(ProviderProblem::PlainHttp)
        );
        assert_eq!(
            problem(|p| p.scopes.push("a b".to_owned())),
            Some(ProviderProblem::Scope)
        );
    }

    #[test]
    fn two_providers_share_neither_name_nor_issuer() {
        let config = ExternalLoginConfig {
            providers: vec![provider(), provider()],
            ..ExternalLoginConfig::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].problem, ProviderProblem::Twice);
    }

    #[test]
    fn the_client_secret_is_never_shown() {
        assert!(!format!("{:?}", provider()).contains("canary"));
    }
}
