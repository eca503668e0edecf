use sea_orm::{
    ColumnTrait as _, EntityTrait, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select,
};
use uuid::Uuid;

/// Which rows of a list that is sorted by an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub limit: u64,
    /// Those that lie beyond this one.
    pub from: Option<Uuid>,
    /// Against the list's order.
    pub backward: bool,
}

impl Rows {
    /// These of the rows that `query` finds, which by themselves are in `order`.
    pub(super) fn of<E: EntityTrait>(
        self,
        query: Select<E>,
        id: E::Column,
        order: Order,
    ) -> Select<E> {
        let is_ascending = (order == Order::Asc) != self.backward;
        let beyond = self.from.map(|from| match is_ascending {
            true => id.gt(from),
            false => id.lt(from),
        });
        let query = match beyond {
            Some(beyond) => query.filter(beyond),
            None => query,
        };
        let order = if is_ascending {
            Order::Asc
        } else {
            Order::Desc
        };
        query.order_by(id, order).limit(self.limit)
    }
}
