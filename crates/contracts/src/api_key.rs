use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};
use kernel::{ApiKeyId, Permission, Role, UserId};
use uuid::Uuid;

const SECRET_BYTES: usize = 32;

/// An API key as its owner holds it: `plk_`, id, secret and CRC-32 with underscores between, in
/// lower-case hexadecimal. The prefix lets scanners find one that was published by mistake, and the
/// checksum lets us refuse a typo without a query.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    id: ApiKeyId,
    secret: [u8; SECRET_BYTES],
}

/// The text is not an API key, or one with a typo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct MalformedApiKey;

impl ApiKey {
    pub const PREFIX: &str = "plk_";

    #[must_use]
    pub const fn new(id: ApiKeyId, secret: [u8; SECRET_BYTES]) -> Self {
        Self { id, secret }
    }

    /// Reads what [`Self::expose`] wrote, and nothing else.
    pub fn parse(text: &str) -> Result<Self, MalformedApiKey> {
        let parts = text.strip_prefix(Self::PREFIX).ok_or(MalformedApiKey)?;
        let mut parts = parts.split('_');
        let (Some(id), Some(secret)) = (parts.next(), parts.next()) else {
            return Err(MalformedApiKey);
        };
        let id = Uuid::try_parse(id).map_err(|_| MalformedApiKey)?;
        let mut bytes = [0; SECRET_BYTES];
        hex::decode_to_slice(secret, &mut bytes).map_err(|_| MalformedApiKey)?;
        let key = Self::new(id.into(), bytes);
        // The checksum, the case and the length.
        if key.expose() == text {
            Ok(key)
        } else {
            Err(MalformedApiKey)
        }
    }

    /// The whole key: 110 characters.
    #[must_use]
    pub fn expose(&self) -> String {
        let (id, secret) = (self.id.as_uuid(), hex::encode(self.secret));
        let text = format!("{}{}_{secret}", Self::PREFIX, id.simple());
        let checksum = crc32fast::hash(text.as_bytes());
        format!("{text}_{checksum:08x}")
    }

    #[must_use]
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    #[must_use]
    pub const fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Whose an API key is, and what it may do at most: what its owner's role grants beyond its scopes
/// is not its, and what its scopes name beyond that is not either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedApiKey {
    pub id: ApiKeyId,
    pub owner: UserId,
    /// The owner's, now.
    pub role: Role,
    pub scopes: BTreeSet<Permission>,
    pub expires_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::new(Uuid::from_u128(0x0123).into(), [0xab; SECRET_BYTES])
    }

    #[test]
    fn a_key_survives_its_text_form_and_debug_output_keeps_the_secret() {
        let text = key().expose();
        assert_eq!(text.len(), 110);
        assert_eq!(ApiKey::parse(&text), Ok(key()));
        assert!(!format!("{:?}", key()).contains("ab"));
    }

    #[test]
    fn every_typo_is_refused() {
        let text = key().expose();
        for position in 0..text.len() {
            for other in ["0", "7", "f", "_", "A"] {
                let mut typo = text.clone();
                typo.replace_range(position..=position, other);
                assert_eq!(ApiKey::parse(&typo).is_ok(), typo == text, "{typo}");
            }
        }
        let longer = format!("{text}0");
        let padded = format!(" {text}");
        for text in [
            "",
            "plk_",
            "plk__",
            &text[..109],
            &longer,
            &padded,
            &text.to_uppercase(),
        ] {
            assert_eq!(ApiKey::parse(text), Err(MalformedApiKey), "{text}");
        }
    }
}
