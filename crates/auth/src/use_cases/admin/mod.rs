//! What staff does to the accounts of others. Everything that changes something is recorded in the
//! transaction that changes it; what a rule refuses, on its own.

mod change_role;
mod disable_user;
mod enable_user;
mod end_user_sessions;
mod guarded;
mod list_audit_events;
mod list_users;
mod read_user;

use kernel::page::InvalidPageSize;
use sea_orm::DbErr;

use crate::store::Rows;

pub(crate) use change_role::change_role;
pub(crate) use disable_user::disable_user;
pub(crate) use enable_user::enable_user;
pub(crate) use end_user_sessions::end_user_sessions;
pub(crate) use guarded::{IsLastAdmin, is_last_admin};
pub(crate) use list_audit_events::{AuditFilter, list_audit_events};
pub(crate) use list_users::list_users;
pub(crate) use read_user::read_user;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    #[error("the actor may not do this")]
    Forbidden,
    #[error("nobody does this to their own account")]
    OwnAccount,
    #[error("nobody could administer anything any more")]
    LastAdmin,
    #[error("there is no such user")]
    NotFound,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Rows that follow a row, a bounded number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    size: u64,
    after: Option<uuid::Uuid>,
}

/// Some rows, and where the next ones begin.
#[derive(Debug)]
pub(crate) struct Sliced<T> {
    pub items: Vec<T>,
    /// `after` of the next slice, if there is one.
    pub next: Option<uuid::Uuid>,
}

impl Slice {
    const MAX_SIZE: u64 = 100;

    pub(crate) fn new(size: i64, after: Option<uuid::Uuid>) -> Result<Self, InvalidPageSize> {
        match u64::try_from(size) {
            Ok(size @ 1..=Self::MAX_SIZE) => Ok(Self { size, after }),
            _ => Err(InvalidPageSize),
        }
    }

    /// One row more than asked for: it tells that there are more.
    fn rows(self) -> Rows {
        Rows {
            limit: self.size + 1,
            from: self.after,
            backward: false,
        }
    }

    fn of<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> uuid::Uuid) -> Sliced<T> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let has_more = rows.len() > size;
        rows.truncate(size);
        Sliced {
            next: rows.last().filter(|_| has_more).map(id),
            items: rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_slice_has_1_to_100_rows() {
        for size in [i64::MIN, -1, 0, 101, i64::MAX] {
            assert_eq!(Slice::new(size, None), Err(InvalidPageSize));
        }
    }

    #[test]
    fn the_row_beyond_tells_that_there_is_more() {
        let ids = [1, 2, 3].map(Uuid::from_u128);
        let slice = Slice::new(2, None).unwrap();
        let first = slice.of(ids.to_vec(), |id| *id);
        assert_eq!((first.items.len(), first.next), (2, Some(ids[1])));
        let last = slice.of(ids[..2].to_vec(), |id| *id);
        assert_eq!((last.items.len(), last.next), (2, None));
    }
}
