//! Bearer secrets of 256 bits that leave the service and come back. Only their SHA-256 is stored:
//! a fast hash is enough, because there is nothing to guess.

use std::fmt;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest, hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use secrecy::{ExposeSecret as _, SecretSlice};

const TOKEN_BYTES: usize = 32;

/// A token as its owner holds it. Neither shown by `Debug` nor stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OpaqueToken([u8; TOKEN_BYTES]);

/// The text is not a token that we could have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub(crate) struct MalformedToken;

impl OpaqueToken {
    /// # Errors
    /// If the operating system has no randomness to give.
    pub(crate) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; TOKEN_BYTES];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, MalformedToken> {
        let bytes = BASE64.decode(text).map_err(|_| MalformedToken)?;
        bytes.try_into().map(Self).map_err(|_| MalformedToken)
    }

    /// Unpadded base64url, 43 characters.
    pub(crate) fn expose(&self) -> String {
        BASE64.encode(self.0)
    }

    pub(crate) const fn into_bytes(self) -> [u8; TOKEN_BYTES] {
        self.0
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken([redacted])")
    }
}

/// What is stored of a token: its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenHash(Vec<u8>);

impl TokenHash {
    /// Of no token at all: nothing stored equals it.
    pub(crate) fn of_nothing() -> Self {
        Self(vec![0; digest::SHA256_OUTPUT_LEN])
    }

    /// Whether it is the stored one, in a time that does not depend on where they differ.
    pub(crate) fn equals(&self, stored: &[u8]) -> bool {
        verify_slices_are_equal(&self.0, stored).is_ok()
    }

    pub(crate) fn of(token: &[u8]) -> Self {
        Self(digest::digest(&digest::SHA256, token).as_ref().to_vec())
    }
}

impl From<TokenHash> for Vec<u8> {
    fn from(hash: TokenHash) -> Self {
        hash.0
    }
}

/// The configured key from which derived tokens come: 32 bytes at least.
#[derive(Clone, Debug)]
pub struct TokenSecretKey(SecretSlice<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenSecret {
    #[error("the token secret is not unpadded base64url")]
    Encoding,
    #[error("the token secret has at least 32 bytes")]
    TooShort,
}

impl TokenSecretKey {
    const MIN_BYTES: usize = 32;

    /// Reads unpadded base64url, as it stands in the configuration.
    pub fn parse(text: &str) -> Result<Self, InvalidTokenSecret> {
        Self::new(
            BASE64
                .decode(text)
                .map_err(|_| InvalidTokenSecret::Encoding)?,
        )
    }

    pub fn new(bytes: Vec<u8>) -> Result<Self, InvalidTokenSecret> {
        if bytes.len() < Self::MIN_BYTES {
            return Err(InvalidTokenSecret::TooShort);
        }
        Ok(Self(bytes.into()))
    }
}

/// Derives tokens that must be reproducible: the successor of a refresh token, which a second
/// tab gets again, and the token in a mail, which the outbox must not hold in the clear.
#[derive(Clone, Debug)]
pub(crate) struct TokenSecret(hmac::Key);

impl TokenSecret {
    pub(crate) fn new(key: &TokenSecretKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.0.expose_secret()))
    }

    pub(crate) fn successor_of(&self, refresh_token: &OpaqueToken) -> OpaqueToken {
        self.derive("refresh-successor", &refresh_token.0)
    }

    pub(crate) fn email_verification(&self, id: uuid::Uuid) -> OpaqueToken {
        self.derive("email-verification", id.as_bytes())
    }

    /// With which the subjects of rate limits are hashed.
    pub(crate) fn for_rate_limits(&self) -> [u8; TOKEN_BYTES] {
        self.derive("rate-limits", &[]).0
    }

    pub(crate) fn password_reset(&self, id: uuid::Uuid) -> OpaqueToken {
        self.derive("password-reset", id.as_bytes())
    }

    pub(crate) fn email_change(&self, id: uuid::Uuid) -> OpaqueToken {
        self.derive("email-change", id.as_bytes())
    }

    /// HMAC-SHA256 over the purpose, a zero byte and the input: no two purposes share a token.
    fn derive(&self, purpose: &str, input: &[u8]) -> OpaqueToken {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(input);
        let mut bytes = [0; TOKEN_BYTES];
        bytes.copy_from_slice(context.sign().as_ref());
        OpaqueToken(bytes)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn secret(byte: u8) -> TokenSecret {
        TokenSecret::new(&TokenSecretKey::new(vec![byte; 32]).unwrap())
    }

    #[test]
    fn a_token_survives_its_text_form_and_nothing_else_parses() {
        let token = OpaqueToken::random().unwrap();
        assert_eq!(OpaqueToken::parse(&token.expose()), Ok(token.clone()));
        let padded = format!("{}=", token.expose());
        for text in ["", "abc", "!!!", &padded, &"A".repeat(44)] {
            assert_eq!(OpaqueToken::parse(text), Err(MalformedToken), "{text}");
        }
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        let token = OpaqueToken::random().unwrap();
        assert!(!format!("{token:?}").contains(&token.expose()));
        assert!(!format!("{:?}", secret(1)).contains("1, 1"));
    }

    #[test]
    fn derived_tokens_depend_on_key_purpose_and_input() {
        let token = secret(1).email_verification(Uuid::nil());
        assert_eq!(token, secret(1).email_verification(Uuid::nil()));
        assert_ne!(token, secret(2).email_verification(Uuid::nil()));
        assert_ne!(token, secret(1).email_verification(Uuid::max()));
        let same_input = OpaqueToken([0; 32]);
        assert_ne!(secret(1).successor_of(&same_input), token);
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(matches!(
            TokenSecretKey::new(vec![0; 31]),
            Err(InvalidTokenSecret::TooShort)
        ));
    }
}
