use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use secrecy::ExposeSecret as _;

use crate::secret::{Keyring, OpaqueToken, SealedColumn, TokenHash, UnsealError};

/// What one log-in is recognised by; known to nobody before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginSecrets {
    /// Comes back with the response: it belongs to a log-in that began here.
    pub state: OpaqueToken,
    /// Comes back in the ID token: it was issued for this log-in.
    pub nonce: OpaqueToken,
    /// Goes with the code: whoever only saw the code can't redeem it (RFC 7636).
    pub pkce_verifier: OpaqueToken,
}

impl LoginSecrets {
    /// # Errors
    /// If the operating system has no randomness to give.
    pub(crate) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        Ok(Self {
            state: OpaqueToken::random()?,
            nonce: OpaqueToken::random()?,
            pkce_verifier: OpaqueToken::random()?,
        })
    }

    /// What is stored until the person comes back: nonce and verifier, sealed. The state brings
    /// itself.
    pub(crate) fn seal(&self, keyring: &Keyring) -> Result<String, UnsealError> {
        let row = row(self.state.hash());
        let secrets = format!("{}.{}", self.nonce.expose(), self.pkce_verifier.expose());
        keyring.seal(SealedColumn::ExternalLogin.of(&row), secrets.as_bytes())
    }

    /// What [`Self::seal`] has sealed for this state.
    pub(crate) fn open(
        state: OpaqueToken,
        keyring: &Keyring,
        sealed: &str,
    ) -> Result<Self, UnsealError> {
        let row = row(state.hash());
        let secrets = keyring.open(SealedColumn::ExternalLogin.of(&row), sealed)?;
        let tokens = str::from_utf8(secrets.expose_secret())
            .ok()
            .and_then(|text| {
                let (nonce, pkce_verifier) = text.split_once('.')?;
                let parse = |text| OpaqueToken::parse(text).ok();
                Some((parse(nonce)?, parse(pkce_verifier)?))
            });
        let (nonce, pkce_verifier) = tokens.ok_or(UnsealError::Malformed)?;
        Ok(Self {
            state,
            nonce,
            pkce_verifier,
        })
    }
}

/// As [`SealedColumn`] wants it of a primary key that is bytes.
fn row(state_hash: TokenHash) -> String {
    BASE64.encode(Vec::from(state_hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::EncryptionKey;

    #[test]
    fn sealed_secrets_open_with_their_state_only() {
        let key = EncryptionKey::new("k1", vec![1; 32]).unwrap();
        let keyring = Keyring::new(key, vec![]);
        let secrets = LoginSecrets::random().unwrap();
        let sealed = secrets.seal(&keyring).unwrap();
        assert!(!sealed.contains(&secrets.nonce.expose()));
        let opened = LoginSecrets::open(secrets.state.clone(), &keyring, &sealed).unwrap();
        assert_eq!(opened, secrets);
        let other = OpaqueToken::random().unwrap();
        assert!(LoginSecrets::open(other, &keyring, &sealed).is_err());
    }
}
