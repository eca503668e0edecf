//! What a client may ask of a list, the same over GraphQL and REST.

use chrono::{DateTime, Datelike, Utc};
use contracts::ErrorCode;
use kernel::page::{Direction, PageRequest};
use orders::ProductFilter;

use crate::cursor::{CursorKey, Cursors, List};

/// The longest text to search for, in characters.
const MAX_SEARCH: usize = 100;

/// The longest number to look for, in characters.
const MAX_NUMBER: usize = 40;

/// The Relay arguments of a list.
#[derive(Debug, Clone, Default)]
pub struct PageArguments {
    /// So many rows after `after`.
    pub first: Option<i64>,
    /// A cursor.
    pub after: Option<String>,
    /// So many rows before `before`.
    pub last: Option<i64>,
    /// A cursor.
    pub before: Option<String>,
}

/// Why a list can't be shown as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListing {
    /// Neither `first` nor `last`, or both, or one out of range.
    #[error(
        "Give either \"first\" or \"last\", from 1 to {}.",
        PageRequest::MAX_SIZE
    )]
    PageSize,
    /// A cursor that goes with the other direction.
    #[error("\"after\" goes with \"first\", \"before\" with \"last\".")]
    Direction,
    /// A text that is no cursor of this list.
    #[error("The cursor is not one of this list.")]
    Cursor,
    /// A text that nobody can have meant.
    #[error("A search is at most {MAX_SEARCH} printable characters.")]
    Search,
    /// A text that is no id.
    #[error("A customer's id is a UUID.")]
    CustomerId,
    /// A text that is no order's number.
    #[error("An order's number is letters, digits and hyphens, at most {MAX_NUMBER}.")]
    Number,
    /// A moment that databases do not agree on.
    #[error("A moment is in the years 0 to 9999.")]
    Moment,
}

impl InvalidListing {
    /// Its place in the common table.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::PageSize => ErrorCode::InvalidPageSize,
            Self::Direction | Self::Cursor => ErrorCode::InvalidCursor,
            Self::Search | Self::CustomerId | Self::Number | Self::Moment => ErrorCode::Validation,
        }
    }
}

impl PageArguments {
    /// The page that is meant.
    ///
    /// # Errors
    /// [`InvalidListing`].
    pub fn request<K: CursorKey>(
        self,
        cursors: &Cursors,
        list: List,
    ) -> Result<PageRequest<K>, InvalidListing> {
        let (size, direction, from, stray) = match (self.first, self.last) {
            (Some(first), None) => (first, Direction::Forward, self.after, self.before),
            (None, Some(last)) => (last, Direction::Backward, self.before, self.after),
            (None, None) | (Some(_), Some(_)) => return Err(InvalidListing::PageSize),
        };
        if stray.is_some() {
            return Err(InvalidListing::Direction);
        }
        let from = from.map(|cursor| cursors.decode(list, &cursor)).transpose();
        let from = from.map_err(|_| InvalidListing::Cursor)?;
        PageRequest::new(size, direction, from).map_err(|_| InvalidListing::PageSize)
    }
}

/// The products that are searched for; an empty search means all.
///
/// # Errors
/// [`InvalidListing::Search`].
pub fn product_filter(search: Option<String>) -> Result<ProductFilter, InvalidListing> {
    Ok(ProductFilter {
        search: search_text(search)?,
    })
}

/// What is searched for; nothing, if the text is empty.
///
/// # Errors
/// [`InvalidListing::Search`].
pub fn search_text(search: Option<String>) -> Result<Option<String>, InvalidListing> {
    let search = search
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    let is_valid =
        |text: &String| text.chars().count() <= MAX_SEARCH && !text.chars().any(char::is_control);
    if search.as_ref().is_some_and(|text| !is_valid(text)) {
        return Err(InvalidListing::Search);
    }
    Ok(search)
}

/// The number of an order that is looked for.
///
/// # Errors
/// [`InvalidListing::Number`].
pub fn order_number(number: String) -> Result<String, InvalidListing> {
    let is_valid = (1..=MAX_NUMBER).contains(&number.len())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_valid.then_some(number).ok_or(InvalidListing::Number)
}

/// A moment to compare rows with.
///
/// # Errors
/// [`InvalidListing::Moment`].
pub fn listed_moment(time: impl Into<DateTime<Utc>>) -> Result<DateTime<Utc>, InvalidListing> {
    let time = time.into();
    let is_valid = (0..=9_999).contains(&time.year());
    is_valid.then_some(time).ok_or(InvalidListing::Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(
        first: Option<i64>,
        after: Option<&str>,
        last: Option<i64>,
        before: Option<&str>,
    ) -> Result<PageRequest, InvalidListing> {
        let (after, before) = (after.map(str::to_owned), before.map(str::to_owned));
        let arguments = PageArguments {
            first,
            after,
            last,
            before,
        };
        arguments.request(&Cursors::new(&[7; 32]), List::Orders)
    }

    #[test]
    fn one_of_first_and_last_is_required_from_1_to_100() {
        for (first, last) in [
            (None, None),
            (Some(1), Some(1)),
            (Some(0), None),
            (Some(-1), None),
            (Some(101), None),
            (None, Some(0)),
            (None, Some(i64::MAX)),
        ] {
            assert_eq!(
                request(first, None, last, None),
                Err(InvalidListing::PageSize)
            );
        }
        assert_eq!(
            request(Some(100), None, None, None).unwrap().direction,
            Direction::Forward
        );
        assert_eq!(
            request(None, None, Some(1), None).unwrap().direction,
            Direction::Backward
        );
    }

    #[test]
    fn cursors_go_with_their_direction_and_list() {
        let none = Err(InvalidListing::Cursor);
        assert_eq!(request(Some(1), Some("nonsense"), None, None), none);
        let astray = Err(InvalidListing::Direction);
        assert_eq!(request(Some(1), None, None, Some("x")), astray);
        assert_eq!(request(None, Some("x"), Some(1), None), astray);
    }

    #[test]
    fn what_orders_are_filtered_by_is_judged() {
        assert_eq!(order_number("pl-1Z".to_owned()), Ok("pl-1Z".to_owned()));
        for odd in ["", "PL 1", "PL-\0", "ПЛ-1", &"1".repeat(MAX_NUMBER + 1)] {
            assert_eq!(
                order_number(odd.to_owned()),
                Err(InvalidListing::Number),
                "{odd:?}"
            );
        }
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let usual = moment("2026-01-31T12:00:00Z");
        assert_eq!(listed_moment(usual), Ok(usual));
        for odd in ["-0001-01-01T00:00:00Z", "+10000-01-01T00:00:00Z"] {
            assert_eq!(
                listed_moment(moment(odd)),
                Err(InvalidListing::Moment),
                "{odd}"
            );
        }
    }

    #[test]
    fn a_search_is_short_and_printable() {
        let search = |text: &str| product_filter(Some(text.to_owned()));
        assert_eq!(search("  ").unwrap(), ProductFilter::default());
        assert_eq!(search(" Tea ").unwrap().search.as_deref(), Some("Tea"));
        for odd in ["a\0b", "a\nb", &"x".repeat(101)] {
            assert_eq!(search(odd), Err(InvalidListing::Search), "{odd:?}");
        }
    }
}
