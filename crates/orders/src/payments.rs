//! What became of the payments of orders.

use std::collections::HashMap;

use kernel::OrderId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{OrderError, Orders, Payment, store::payment_attempts};

impl Orders {
    /// The newest payment of any number of orders, which the caller has read, with one query. An
    /// order that was not charged yet has none.
    pub async fn payments_of(
        &self,
        ids: &[OrderId],
    ) -> Result<HashMap<OrderId, Payment>, OrderError> {
        use payment_attempts::Column;
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let attempts = payment_attempts::Entity::find()
            .filter(Column::OrderId.is_in(ids.iter().map(|id| id.as_uuid())))
            .order_by_asc(Column::OrderId)
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .all(self.database.reader())
            .await?;
        // The later one of an order takes the place of the earlier one.
        attempts
            .into_iter()
            .map(|attempt| Ok((attempt.order_id.into(), attempt.try_into()?)))
            .collect()
    }
}
