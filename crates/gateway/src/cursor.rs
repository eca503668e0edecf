//! Cursors: where a page begins, sealed so that clients treat them as the opaque text they are.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use kernel::page::Key;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes of the key in a cursor: microseconds since 1970, and the row's id.
const KEY_BYTES: usize = 8 + 16;
/// Bytes of the seal: HMAC-SHA256 truncated to 128 bits (RFC 2104, §5).
const SEAL_BYTES: usize = 16;

/// The lists that have cursors. A cursor of one is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The catalogue.
    Products,
    /// Someone's own orders.
    Orders,
    /// The customers.
    Customers,
    /// The audit log.
    AuditLog,
}

impl List {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Products => b"products",
            Self::Orders => b"orders",
            Self::Customers => b"customers",
            Self::AuditLog => b"audit-log",
        }
    }
}

/// Makes cursors and reads them. Replicas that share the secret read each other's.
#[derive(Clone)]
pub struct Cursors {
    mac: Hmac<Sha256>,
}

/// The text is no cursor that was made here for this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The cursor is not one of this list.")]
pub struct InvalidCursor;

impl Cursors {
    /// Seals cursors with `secret`, of any length.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        // Hashed to a key of a fixed length, padded to the block size as RFC 2104, §2 does.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(secret));
        Self {
            mac: Hmac::new(&block.into()),
        }
    }

    /// The cursor of the row at `key`.
    #[must_use]
    pub fn encode(&self, list: List, key: Key) -> String {
        let mut bytes = [0; KEY_BYTES + SEAL_BYTES];
        bytes[..8].copy_from_slice(&key.created_at.timestamp_micros().to_be_bytes());
        bytes[8..KEY_BYTES].copy_from_slice(key.id.as_bytes());
        let seal = self.seal(list, &bytes[..KEY_BYTES]).finalize().into_bytes();
        bytes[KEY_BYTES..].copy_from_slice(&seal[..SEAL_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key of the row that a cursor stands for.
    ///
    /// # Errors
    /// [`InvalidCursor`].
    pub fn decode(&self, list: List, cursor: &str) -> Result<Key, InvalidCursor> {
        let mut bytes = [0; KEY_BYTES + SEAL_BYTES];
        let length = URL_SAFE_NO_PAD
            .decode_slice(cursor, &mut bytes)
            .map_err(|_| InvalidCursor)?;
        if length != bytes.len() {
            return Err(InvalidCursor);
        }
        let (key, seal) = bytes.split_at(KEY_BYTES);
        self.seal(list, key)
            .verify_truncated_left(seal)
            .map_err(|_| InvalidCursor)?;
        let (micros, id) = key.split_at(8);
        let micros = micros
            .try_into()
            .map(i64::from_be_bytes)
            .map_err(|_| InvalidCursor)?;
        Ok(Key {
            created_at: DateTime::from_timestamp_micros(micros).ok_or(InvalidCursor)?,
            id: Uuid::from_slice(id).map_err(|_| InvalidCursor)?,
        })
    }

    fn seal(&self, list: List, key: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(list.name());
        mac.update(key);
        mac
    }
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursors")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursors() -> Cursors {
        Cursors::new(&[7; 32])
    }

    fn key() -> impl Strategy<Value = Key> {
        (0_i64..4_000_000_000_000_000, any::<u128>()).prop_map(|(micros, id)| Key {
            created_at: DateTime::from_timestamp_micros(micros).unwrap(),
            id: Uuid::from_u128(id),
        })
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_row_in_its_list_only(key in key()) {
            let cursor = cursors().encode(List::Orders, key);
            prop_assert_eq!(cursors().decode(List::Orders, &cursor), Ok(key));
            prop_assert_eq!(cursors().decode(List::Products, &cursor), Err(InvalidCursor));
            prop_assert_eq!(
                Cursors::new(&[8; 32]).decode(List::Orders, &cursor), Err(InvalidCursor)
            );
        }

        #[test]
        fn no_other_text_is_a_cursor(text in any::<String>()) {
            prop_assert_eq!(cursors().decode(List::Orders, &text), Err(InvalidCursor));
        }

        #[test]
        fn a_changed_cursor_is_none(key in key(), position in 0_usize..53, letter in "[A-Za-z0-9_-]") {
            let cursor = cursors().encode(List::Orders, key);
            let mut changed = cursor.clone();
            changed.replace_range(position..=position, &letter);
            prop_assume!(changed != cursor);
            prop_assert_eq!(cursors().decode(List::Orders, &changed), Err(InvalidCursor));
        }
    }
}
