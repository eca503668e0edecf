//! How somebody has proved who they are: RFC 8176's methods, and the assurance that they give
//! together.

use std::fmt;

/// One way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Password,
    /// A time-based one-time password (RFC 6238).
    Totp,
    RecoveryCode,
    /// At another identity provider.
    External,
    /// A key that verifies its user (W3C Web Authentication): two factors in one.
    Passkey,
}

impl Method {
    const ALL: [Self; 5] = [
        Self::Password,
        Self::Totp,
        Self::RecoveryCode,
        Self::External,
        Self::Passkey,
    ];

    /// RFC 8176, where it has a name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Totp => "otp",
            Self::RecoveryCode => "recovery",
            Self::External => "fed",
            Self::Passkey => "swk",
        }
    }

    const fn is_second_factor(self) -> bool {
        matches!(self, Self::Totp | Self::RecoveryCode)
    }
}

/// The methods that were used together, at most one of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Methods(Vec<Method>);

impl Methods {
    pub(crate) fn one(method: Method) -> Self {
        Self(vec![method])
    }

    #[must_use]
    pub(crate) fn and(mut self, method: Method) -> Self {
        self.extend([method]);
        self
    }

    /// As [`fmt::Display`] writes them. What this version does not know proves nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let method = |name| {
            Method::ALL
                .into_iter()
                .find(|method| method.as_str() == name)
        };
        Self(text.split(' ').filter_map(method).collect())
    }

    fn is_multi_factor(&self) -> bool {
        self.0.contains(&Method::Passkey)
            || self.0.len() > 1 && self.0.iter().any(|method| method.is_second_factor())
    }

    /// The claim `amr`.
    pub(crate) fn amr(&self) -> Vec<String> {
        let names = self.0.iter().map(|method| method.as_str());
        let mfa = self.is_multi_factor().then_some("mfa");
        names.chain(mfa).map(str::to_owned).collect()
    }

    /// The claim `acr`: NIST SP 800-63B-4's authentication assurance level.
    pub(crate) fn acr(&self) -> &'static str {
        if self.is_multi_factor() {
            "aal2"
        } else {
            "aal1"
        }
    }
}

impl Extend<Method> for Methods {
    fn extend<I: IntoIterator<Item = Method>>(&mut self, methods: I) {
        for method in methods {
            if !self.0.contains(&method) {
                self.0.push(method);
            }
        }
    }
}

impl FromIterator<Method> for Methods {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        let mut all = Self(Vec::new());
        all.extend(methods);
        all
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|method| method.as_str()).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_factor_raises_the_assurance() {
        let password = Methods::one(Method::Password);
        assert_eq!(
            (password.acr(), password.amr()),
            ("aal1", vec!["pwd".to_owned()])
        );
        let both = password.and(Method::Totp).and(Method::Totp);
        assert_eq!(both.acr(), "aal2");
        assert_eq!(both.amr(), ["pwd", "otp", "mfa"]);
    }

    #[test]
    fn methods_round_trip_and_the_unknown_prove_nothing() {
        let both = Methods(vec![Method::External, Method::RecoveryCode]);
        assert_eq!(Methods::parse(&both.to_string()), both);
        assert_eq!(Methods::parse("pwd palm"), Methods::one(Method::Password));
    }
}
