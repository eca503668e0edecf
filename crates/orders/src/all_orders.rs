//! Everybody's orders, for those who help customers.

use chrono::{DateTime, Utc};
use kernel::{
    Actor, Permission, UserId,
    page::{Page, PageRequest},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    Order, OrderError, Orders, domain::OrderStatus, keyset::rank_by_time, read::newest_first,
    store::orders,
};

/// Which orders are meant: those to which everything applies that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    pub status: Option<OrderStatus>,
    pub customer_id: Option<UserId>,
    /// The whole number, in either case.
    pub number: Option<String>,
    /// Placed then or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Placed before that.
    pub created_before: Option<DateTime<Utc>>,
}

impl Orders {
    /// A page of everybody's orders, newest first.
    pub async fn all_orders(
        &self,
        actor: &Actor,
        filter: &OrderFilter,
        request: PageRequest,
    ) -> Result<Page<Order>, OrderError> {
        use orders::Column;
        if !actor.may(Permission::ReadAnyOrder) {
            return Err(OrderError::Forbidden);
        }
        let mut query = orders::Entity::find();
        if let Some(status) = filter.status {
            query = query.filter(Column::Status.eq(status.as_str()));
        }
        if let Some(customer) = filter.customer_id {
            query = query.filter(Column::CustomerId.eq(customer.as_uuid()));
        }
        if let Some(number) = &filter.number {
            query = query.filter(Column::Number.eq(number.to_ascii_uppercase()));
        }
        if let Some(from) = filter.created_from {
            query = query.filter(Column::CreatedAt.gte(from));
        }
        if let Some(before) = filter.created_before {
            query = query.filter(Column::CreatedAt.lt(before));
        }
        let rows = newest_first()
            .page(query, &request, rank_by_time)
            .all(self.database.reader())
            .await?;
        let orders = rows.into_iter().map(Order::try_from);
        Ok(request.page(orders.collect::<Result<_, _>>()?))
    }
}
