//! Keyset pages as SQL: a page begins after a row's sort key, which an index finds, however far into
//! the list it lies.

use kernel::page::{Direction, Key, PageRequest};
use sea_orm::{
    EntityTrait, ExprTrait, Order as SortOrder, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::Expr,
};

/// How a list is sorted: its columns, the last of which is unique, from the lowest row up or from
/// the highest down.
pub(crate) struct Sorting {
    pub(crate) columns: Vec<Expr>,
    pub(crate) is_ascending: bool,
}

impl Sorting {
    /// By (created_at, id), the newest first.
    pub(crate) fn newest_first<E: EntityTrait>(created_at: E::Column, id: E::Column) -> Self {
        Self {
            columns: [created_at, id]
                .map(|column| Expr::col((E::default(), column)))
                .into(),
            is_ascending: false,
        }
    }

    /// One page of `query`, and the row that tells of a further one. `rank` gives the values of the
    /// sorted columns for the row that the page begins after.
    pub(crate) fn page<E: EntityTrait, K>(
        self,
        mut query: Select<E>,
        request: &PageRequest<K>,
        rank: impl FnOnce(&K) -> Vec<Expr>,
    ) -> Select<E> {
        let is_ascending = self.is_ascending == (request.direction == Direction::Forward);
        let order = if is_ascending {
            SortOrder::Asc
        } else {
            SortOrder::Desc
        };
        for column in &self.columns {
            query = query.order_by(column.clone(), order.clone());
        }
        if let Some(from) = &request.from {
            // A row comparison: both databases answer it with one range of the index.
            let row = Expr::tuple(self.columns);
            let from = Expr::tuple(rank(from));
            query = query.filter(if is_ascending {
                row.gt(from)
            } else {
                row.lt(from)
            });
        }
        query.limit(u64::from(request.size()) + 1)
    }
}

/// The values of [`Sorting::newest_first`] for a row.
pub(crate) fn rank_by_time(key: &Key) -> Vec<Expr> {
    vec![Expr::value(key.created_at), Expr::value(key.id)]
}
