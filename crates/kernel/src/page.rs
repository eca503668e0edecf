//! Keyset pages: a page is named by the row it starts after, never by an offset, so that rows
//! inserted while someone pages are neither skipped nor repeated.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The sort key of a row: unique, because the id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `first` rows after the key.
    Forward,
    /// `last` rows before the key.
    Backward,
}

/// How many rows, from where, in which direction. `K` is the sort key of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest<K = Key> {
    size: u16,
    pub direction: Direction,
    pub from: Option<K>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page has 1 to {} rows", PageRequest::MAX_SIZE)]
pub struct InvalidPageSize;

impl PageRequest {
    pub const MAX_SIZE: u16 = 100;
}

impl<K> PageRequest<K> {
    pub fn new(size: i64, direction: Direction, from: Option<K>) -> Result<Self, InvalidPageSize> {
        match u16::try_from(size) {
            Ok(size @ 1..=PageRequest::MAX_SIZE) => Ok(Self {
                size,
                direction,
                from,
            }),
            _ => Err(InvalidPageSize),
        }
    }

    #[must_use]
    pub const fn size(&self) -> u16 {
        self.size
    }

    /// Makes a page of rows that were fetched in the request's direction, one more than its size:
    /// the extra row only tells that there is a further page.
    #[must_use]
    pub fn page<T>(&self, mut rows: Vec<T>) -> Page<T> {
        let more = rows.len() > usize::from(self.size);
        rows.truncate(usize::from(self.size));
        match self.direction {
            Direction::Forward => Page {
                items: rows,
                has_next: more,
                has_previous: self.from.is_some(),
            },
            Direction::Backward => {
                rows.reverse();
                Page {
                    items: rows,
                    has_next: self.from.is_some(),
                    has_previous: more,
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// In the list's own order, whichever the direction of the request.
    pub items: Vec<T>,
    pub has_next: bool,
    pub has_previous: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(size: i64, direction: Direction) -> Result<PageRequest, InvalidPageSize> {
        PageRequest::new(size, direction, None)
    }

    #[test]
    fn a_page_has_one_to_a_hundred_rows() {
        for size in [i64::MIN, -1, 0, 101, 4_294_967_296] {
            assert_eq!(request(size, Direction::Forward), Err(InvalidPageSize));
        }
        assert!(request(100, Direction::Forward).is_ok());
    }

    #[test]
    fn the_extra_row_tells_of_a_further_page() {
        let request = request(2, Direction::Forward).unwrap();
        let page = request.page(vec![1, 2, 3]);
        assert_eq!(
            page,
            Page {
                items: vec![1, 2],
                has_next: true,
                has_previous: false
            }
        );
    }

    #[test]
    fn a_backward_page_is_in_list_order() {
        let request = request(2, Direction::Backward).unwrap();
        let page = request.page(vec![3, 2, 1]);
        assert_eq!(
            page,
            Page {
                items: vec![2, 3],
                has_next: false,
                has_previous: true
            }
        );
    }
}
