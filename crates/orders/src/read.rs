//! Reading orders. A list costs one query, and one more for each thing asked about all of its
//! orders together.

use std::collections::HashMap;

use kernel::{
    Actor, OrderId, Permission,
    page::{Page, PageRequest},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{
    HistoryEntry, Order, OrderError, OrderLine, Orders,
    keyset::{Sorting, rank_by_time},
    store::{order_history, order_lines, orders},
};

impl Orders {
    /// An order that the actor may see. Someone else's is `None`, as one that does not exist.
    pub async fn order(&self, actor: &Actor, id: OrderId) -> Result<Option<Order>, OrderError> {
        let row = readable_by(actor)?
            .filter(orders::Column::Id.eq(id.as_uuid()))
            .one(self.database.reader())
            .await?;
        row.map(Order::try_from).transpose()
    }

    /// Those of any number of orders that the actor may see, with one query.
    pub async fn orders_by_ids(
        &self,
        actor: &Actor,
        ids: &[OrderId],
    ) -> Result<HashMap<OrderId, Order>, OrderError> {
        let rows = readable_by(actor)?
            .filter(orders::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
            .all(self.database.reader())
            .await?;
        rows.into_iter()
            .map(|row| Order::try_from(row).map(|order| (order.id, order)))
            .collect()
    }

    /// A page of the actor's own orders, newest first.
    pub async fn orders_of_actor(
        &self,
        actor: &Actor,
        request: PageRequest,
    ) -> Result<Page<Order>, OrderError> {
        if !actor.may(Permission::ReadOwnOrders) {
            return Err(OrderError::Forbidden);
        }
        let own =
            orders::Entity::find().filter(orders::Column::CustomerId.eq(actor.user_id.as_uuid()));
        let rows = newest_first()
            .page(own, &request, rank_by_time)
            .all(self.database.reader())
            .await?;
        let rows = rows
            .into_iter()
            .map(Order::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(request.page(rows))
    }

    /// The lines of any number of orders, which the caller has read, with one query.
    pub async fn lines_of(
        &self,
        orders: &[Order],
    ) -> Result<HashMap<OrderId, Vec<OrderLine>>, OrderError> {
        if orders.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = order_lines::Entity::find()
            .filter(
                order_lines::Column::OrderId.is_in(orders.iter().map(|order| order.id.as_uuid())),
            )
            .order_by_asc(order_lines::Column::OrderId)
            .order_by_asc(order_lines::Column::Position)
            .all(self.database.reader())
            .await?;
        let currency: HashMap<_, _> = orders
            .iter()
            .map(|order| (order.id, order.total.currency))
            .collect();
        let mut lines: HashMap<OrderId, Vec<OrderLine>> = HashMap::with_capacity(orders.len());
        for row in rows {
            let order_id = OrderId::from(row.order_id);
            if let Some(&currency) = currency.get(&order_id) {
                lines
                    .entry(order_id)
                    .or_default()
                    .push(OrderLine::new(row, currency)?);
            }
        }
        Ok(lines)
    }

    /// The transitions of any number of orders, oldest first, with one query.
    pub async fn history_of(
        &self,
        ids: &[OrderId],
    ) -> Result<HashMap<OrderId, Vec<HistoryEntry>>, OrderError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = order_history::Entity::find()
            .filter(order_history::Column::OrderId.is_in(ids.iter().map(|id| id.as_uuid())))
            .order_by_asc(order_history::Column::OrderId)
            .order_by_asc(order_history::Column::Version)
            .all(self.database.reader())
            .await?;
        let mut history: HashMap<OrderId, Vec<HistoryEntry>> = HashMap::with_capacity(ids.len());
        for row in rows {
            history
                .entry(row.order_id.into())
                .or_default()
                .push(row.try_into()?);
        }
        Ok(history)
    }
}

/// The orders that the actor may see.
fn readable_by(actor: &Actor) -> Result<Select<orders::Entity>, OrderError> {
    let all = orders::Entity::find();
    if actor.may(Permission::ReadAnyOrder) {
        Ok(all)
    } else if actor.may(Permission::ReadOwnOrders) {
        Ok(all.filter(orders::Column::CustomerId.eq(actor.user_id.as_uuid())))
    } else {
        Err(OrderError::Forbidden)
    }
}

pub(crate) fn newest_first() -> Sorting {
    Sorting::newest_first::<orders::Entity>(orders::Column::CreatedAt, orders::Column::Id)
}
