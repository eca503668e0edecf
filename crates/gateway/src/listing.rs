//! What a client may ask of a list, the same over GraphQL and REST.

use contracts::ErrorCode;
use kernel::page::{Direction, PageRequest};
use orders::ProductFilter;

use crate::cursor::{CursorKey, Cursors, List};

/// The longest text to search for, in characters.
const MAX_SEARCH: usize = 100;

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
}

impl InvalidListing {
    /// Its place in the common table.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::PageSize => ErrorCode::InvalidPageSize,
            Self::Direction | Self::Cursor => ErrorCode::InvalidCursor,
            Self::Search => ErrorCode::Validation,
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
    fn a_search_is_short_and_printable() {
        let search = |text: &str| product_filter(Some(text.to_owned()));
        assert_eq!(search("  ").unwrap(), ProductFilter::default());
        assert_eq!(search(" Tea ").unwrap().search.as_deref(), Some("Tea"));
        for odd in ["a\0b", "a\nb", &"x".repeat(101)] {
            assert_eq!(search(odd), Err(InvalidListing::Search), "{odd:?}");
        }
    }
}
