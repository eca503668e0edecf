//! Authenticated encryption of single database values: XChaCha20-Poly1305
//! (draft-irtf-cfrg-xchacha-03), bound to the value's place by the additional data.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Generate as _, KeyInit as _, Payload},
};
use secrecy::{ExposeSecret as _, SecretSlice};

use super::sealed_column::Place;
use crate::config::AuthConfig;

const FORMAT: &str = "v1";
const KEY_BYTES: usize = 32;

/// A named 256-bit key. The name is stored beside what it sealed, so that keys can be replaced.
#[derive(Clone, Debug)]
pub struct EncryptionKey {
    id: String,
    key: SecretSlice<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEncryptionKey {
    #[error("an encryption key is written `<name>:<32 bytes in base64url>`")]
    Format,
    #[error("an encryption key's name has letters, digits, `-` and `_` only")]
    Name,
    #[error("an encryption key has exactly 32 bytes")]
    Length,
}

impl EncryptionKey {
    /// Reads `<name>:<32 bytes in unpadded base64url>`, as it stands in the configuration.
    pub fn parse(text: &str) -> Result<Self, InvalidEncryptionKey> {
        let (id, key) = text.split_once(':').ok_or(InvalidEncryptionKey::Format)?;
        let key = BASE64
            .decode(key)
            .map_err(|_| InvalidEncryptionKey::Format)?;
        Self::new(id, key)
    }

    pub fn new(id: &str, key: Vec<u8>) -> Result<Self, InvalidEncryptionKey> {
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(is_name_char) {
            return Err(InvalidEncryptionKey::Name);
        }
        if key.len() != KEY_BYTES {
            return Err(InvalidEncryptionKey::Length);
        }
        Ok(Self {
            id: id.to_owned(),
            key: key.into(),
        })
    }

    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        XChaCha20Poly1305::new_from_slice(self.key.expose_secret()).ok()
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UnsealError {
    #[error("the sealed value is malformed")]
    Malformed,
    #[error("the sealed value needs the encryption key `{0}`, which is not configured")]
    UnknownKey(String),
    #[error("the sealed value was altered, moved, or sealed with another key of the same name")]
    Inauthentic,
}

/// The first key seals; every key opens.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    sealing: EncryptionKey,
    former: Vec<EncryptionKey>,
}

impl Keyring {
    pub(crate) fn new(sealing: EncryptionKey, former: Vec<EncryptionKey>) -> Self {
        Self { sealing, former }
    }

    pub(crate) fn of(config: &AuthConfig) -> Self {
        let former = config.former_encryption_keys.clone();
        Self::new(config.encryption_key.clone(), former)
    }

    /// `v1.<key id>.<nonce>.<ciphertext and tag>`, the last two in base64url.
    pub(crate) fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<String, UnsealError> {
        let nonce = XNonce::generate();
        let additional_data = place.additional_data();
        let payload = Payload {
            msg: secret,
            aad: additional_data.as_bytes(),
        };
        let sealed = self
            .sealing
            .cipher()
            .and_then(|cipher| cipher.encrypt(&nonce, payload).ok())
            .ok_or(UnsealError::Malformed)?;
        let (nonce, sealed) = (BASE64.encode(nonce), BASE64.encode(sealed));
        Ok(format!("{FORMAT}.{}.{nonce}.{sealed}", self.sealing.id))
    }

    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &str,
    ) -> Result<SecretSlice<u8>, UnsealError> {
        let parts: Vec<&str> = sealed.split('.').collect();
        let [FORMAT, key_id, nonce, ciphertext] = parts[..] else {
            return Err(UnsealError::Malformed);
        };
        let decode = |text| BASE64.decode(text).map_err(|_| UnsealError::Malformed);
        let nonce =
            XNonce::try_from(decode(nonce)?.as_slice()).map_err(|_| UnsealError::Malformed)?;
        let ciphertext = decode(ciphertext)?;
        let cipher = self
            .key(key_id)
            .and_then(EncryptionKey::cipher)
            .ok_or_else(|| UnsealError::UnknownKey(key_id.to_owned()))?;
        let additional_data = place.additional_data();
        let payload = Payload {
            msg: &ciphertext,
            aad: additional_data.as_bytes(),
        };
        let secret = cipher
            .decrypt(&nonce, payload)
            .map_err(|_| UnsealError::Inauthentic)?;
        Ok(secret.into())
    }

    /// Whether it was sealed with the key that seals now.
    pub(crate) fn is_up_to_date(&self, sealed: &str) -> bool {
        let mut parts = sealed.split('.');
        parts.next() == Some(FORMAT) && parts.next() == Some(&self.sealing.id)
    }

    fn key(&self, id: &str) -> Option<&EncryptionKey> {
        std::iter::once(&self.sealing)
            .chain(&self.former)
            .find(|key| key.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SealedColumn;

    const PLACE: Place<'_> = SealedColumn::SigningKey.of("a");

    fn key(id: &str, byte: u8) -> EncryptionKey {
        EncryptionKey::new(id, vec![byte; KEY_BYTES]).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let keyring = Keyring::new(key("k1", 1), vec![]);
        let sealed = keyring.seal(PLACE, b"secret").unwrap();
        assert!(sealed.starts_with("v1.k1."), "{sealed}");
        let opened = keyring.open(PLACE, &sealed).unwrap();
        assert_eq!(opened.expose_secret(), b"secret");

        let elsewhere = SealedColumn::SigningKey.of("b");
        assert!(matches!(
            keyring.open(elsewhere, &sealed),
            Err(UnsealError::Inauthentic)
        ));
    }

    #[test]
    fn a_former_key_still_opens_and_an_unknown_one_is_named() {
        let old = Keyring::new(key("k1", 1), vec![]);
        let sealed = old.seal(PLACE, b"secret").unwrap();
        let rotated = Keyring::new(key("k2", 2), vec![key("k1", 1)]);
        assert!(rotated.open(PLACE, &sealed).is_ok());
        assert!(!rotated.is_up_to_date(&sealed));
        let resealed = rotated.seal(PLACE, b"x").unwrap();
        assert!(resealed.starts_with("v1.k2."));
        assert!(rotated.is_up_to_date(&resealed));

        let forgotten = Keyring::new(key("k2", 2), vec![]);
        let error = forgotten.open(PLACE, &sealed).unwrap_err();
        assert!(error.to_string().contains("`k1`"), "{error}");
    }

    #[test]
    fn altered_and_malformed_values_do_not_open() {
        let keyring = Keyring::new(key("k1", 1), vec![]);
        let sealed = keyring.seal(PLACE, b"secret").unwrap();
        let imposter = Keyring::new(key("k1", 9), vec![]);
        assert!(imposter.open(PLACE, &sealed).is_err());
        for text in [
            "",
            "v1",
            "v1.k1.AA.AA",
            "v2.k1.AA.AA",
            &sealed[..sealed.len() - 1],
        ] {
            assert!(keyring.open(PLACE, text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_read_from_text_and_never_shown() {
        let text = format!("k1:{}", BASE64.encode([7; KEY_BYTES]));
        let key = EncryptionKey::parse(&text).unwrap();
        assert!(!format!("{key:?}").contains("7, 7"));
        for bad in ["", "k1", "k1:!", "k1:AAAA", ":AAAA", "k 1:AAAA"] {
            assert!(EncryptionKey::parse(bad).is_err(), "{bad}");
        }
    }
}
