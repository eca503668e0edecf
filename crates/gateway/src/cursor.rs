//! Cursors: where a page begins, sealed so that clients treat them as the opaque text they are.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use kernel::page::Key;
use kernel::{Currency, Money};
use orders::{ProductKey, ProductSort};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes of the seal: HMAC-SHA256 truncated to 128 bits (RFC 2104, §5).
const SEAL_BYTES: usize = 16;
/// No cursor is longer, in characters; what is, is not looked at.
const MAX_CURSOR: usize = 4_096;

/// The lists that have cursors. A cursor of one is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The catalogue, sorted so.
    Products(ProductSort),
    /// Someone's own orders.
    Orders,
    /// Everybody's orders.
    AllOrders,
    /// The customers.
    Customers,
    /// The audit log.
    AuditLog,
}

impl List {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Products(ProductSort::Oldest) => b"products",
            Self::Products(ProductSort::Newest) => b"products newest",
            Self::Products(ProductSort::Name) => b"products name",
            Self::Products(ProductSort::PriceAscending) => b"products price",
            Self::Products(ProductSort::PriceDescending) => b"products price down",
            Self::Orders => b"orders",
            Self::AllOrders => b"all orders",
            Self::Customers => b"customers",
            Self::AuditLog => b"audit-log",
        }
    }
}

/// What a cursor can hold: the sort key of a row, as bytes.
pub trait CursorKey: Sized {
    /// Appends the bytes of the key.
    fn write(&self, bytes: &mut Vec<u8>);

    /// The key of which [`Self::write`] made these bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// Microseconds since 1970, and the row's id.
impl CursorKey for Key {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.created_at.timestamp_micros().to_be_bytes());
        bytes.extend(self.id.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (created_at, id) = bytes.split_first_chunk()?;
        Some(Self {
            created_at: moment(*created_at)?,
            id: Uuid::from_slice(id).ok()?,
        })
    }
}

/// Moment and id as in [`Key`], amount and currency of the price, and the name.
impl CursorKey for ProductKey {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.created_at.timestamp_micros().to_be_bytes());
        bytes.extend(self.id.as_uuid().as_bytes());
        bytes.extend(self.price.amount.to_be_bytes());
        bytes.extend(self.price.currency.code().as_bytes());
        bytes.extend(self.name.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (created_at, bytes) = bytes.split_first_chunk()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (amount, bytes) = bytes.split_first_chunk()?;
        let (currency, name) = bytes.split_first_chunk::<3>()?;
        let currency = Currency::parse(str::from_utf8(currency).ok()?).ok()?;
        Some(Self {
            created_at: moment(*created_at)?,
            id: Uuid::from_bytes(*id).into(),
            price: Money::new(i64::from_be_bytes(*amount), currency),
            name: str::from_utf8(name).ok()?.to_owned(),
        })
    }
}

fn moment(micros: [u8; 8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(i64::from_be_bytes(micros))
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
    pub fn encode(&self, list: List, key: &impl CursorKey) -> String {
        let mut bytes = Vec::with_capacity(64);
        key.write(&mut bytes);
        let seal = self.seal(list, &bytes).finalize().into_bytes();
        bytes.extend(&seal[..SEAL_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key of the row that a cursor stands for.
    ///
    /// # Errors
    /// [`InvalidCursor`].
    pub fn decode<K: CursorKey>(&self, list: List, cursor: &str) -> Result<K, InvalidCursor> {
        if cursor.len() > MAX_CURSOR {
            return Err(InvalidCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let (key, seal) = bytes
            .split_last_chunk::<SEAL_BYTES>()
            .ok_or(InvalidCursor)?;
        self.seal(list, key)
            .verify_truncated_left(seal)
            .map_err(|_| InvalidCursor)?;
        K::read(key).ok_or(InvalidCursor)
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

    fn moment() -> impl Strategy<Value = DateTime<Utc>> {
        (0_i64..4_000_000_000_000_000)
            .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
    }

    fn key() -> impl Strategy<Value = Key> {
        (moment(), any::<u128>()).prop_map(|(created_at, id)| Key {
            created_at,
            id: Uuid::from_u128(id),
        })
    }

    fn product_key() -> impl Strategy<Value = ProductKey> {
        let price = (any::<i64>(), "[A-Z]{3}");
        (moment(), ".{0,200}", price, any::<u128>()).prop_map(
            |(created_at, name, (amount, currency), id)| ProductKey {
                created_at,
                name,
                price: Money::new(amount, Currency::parse(&currency).unwrap()),
                id: Uuid::from_u128(id).into(),
            },
        )
    }

    const SORTED: [List; 5] = [
        List::Products(ProductSort::Oldest),
        List::Products(ProductSort::Newest),
        List::Products(ProductSort::Name),
        List::Products(ProductSort::PriceAscending),
        List::Products(ProductSort::PriceDescending),
    ];

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_row_in_its_list_only(key in key()) {
            let cursor = cursors().encode(List::Orders, &key);
            prop_assert_eq!(cursors().decode(List::Orders, &cursor), Ok(key));
            for other in SORTED.into_iter().chain([List::AllOrders]) {
                prop_assert_eq!(cursors().decode::<Key>(other, &cursor), Err(InvalidCursor));
            }
            let elsewhere = Cursors::new(&[8; 32]);
            prop_assert_eq!(elsewhere.decode::<Key>(List::Orders, &cursor), Err(InvalidCursor));
        }

        #[test]
        fn a_cursor_of_the_catalogue_leads_back_under_its_sort_only(key in product_key()) {
            for list in SORTED {
                let cursor = cursors().encode(list, &key);
                prop_assert_eq!(cursors().decode(list, &cursor), Ok(key.clone()));
                for other in SORTED.into_iter().filter(|other| *other != list) {
                    let read = cursors().decode::<ProductKey>(other, &cursor);
                    prop_assert_eq!(read, Err(InvalidCursor));
                }
            }
        }

        #[test]
        fn no_other_text_is_a_cursor(text in any::<String>()) {
            prop_assert_eq!(cursors().decode::<Key>(List::Orders, &text), Err(InvalidCursor));
        }

        #[test]
        fn a_changed_cursor_is_none(key in key(), position in 0_usize..53, letter in "[A-Za-z0-9_-]") {
            let cursor = cursors().encode(List::Orders, &key);
            let mut changed = cursor.clone();
            changed.replace_range(position..=position, &letter);
            prop_assume!(changed != cursor);
            prop_assert_eq!(cursors().decode::<Key>(List::Orders, &changed), Err(InvalidCursor));
        }

        #[test]
        fn bytes_that_are_no_key_are_read_as_none(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            prop_assert_eq!(Key::read(&bytes), None);
            prop_assert_eq!(ProductKey::read(&bytes), None);
        }
    }
}
