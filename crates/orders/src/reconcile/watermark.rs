//! How far the provider's books have been compared, and whose turn it is.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use crate::{
    OrderError, Orders,
    store::{orders, reconciliations},
};

/// The one comparison that there is.
const LEDGER: &str = "ledger";

impl Orders {
    /// Whether it is this process's turn: of all that ask, one is let through every so often.
    pub async fn may_reconcile(&self, every: TimeDelta) -> Result<bool, OrderError> {
        let now = self.clock.now();
        self.ledger_watermark().await?;
        let taken = reconciliations::Entity::update_many()
            .col_expr(
                reconciliations::Column::LockedUntil,
                Expr::value(now + every),
            )
            .filter(reconciliations::Column::Name.eq(LEDGER))
            .filter(reconciliations::Column::LockedUntil.lte(now))
            .exec(self.database.writer())
            .await?;
        Ok(taken.rows_affected == 1)
    }

    /// Up to when the provider's books are compared with ours: at first, since the first order.
    pub async fn ledger_watermark(&self) -> Result<DateTime<Utc>, OrderError> {
        let kept = reconciliations::Entity::find_by_id(LEDGER)
            .one(self.database.writer())
            .await?;
        if let Some(kept) = kept {
            return Ok(kept.watermark);
        }
        let now = self.clock.now();
        let first: Option<DateTime<Utc>> = orders::Entity::find()
            .select_only()
            .column(orders::Column::CreatedAt)
            .order_by_asc(orders::Column::CreatedAt)
            .order_by_asc(orders::Column::Id)
            .limit(1)
            .into_tuple()
            .one(self.database.writer())
            .await?;
        let watermark = first.unwrap_or(now);
        let row = reconciliations::ActiveModel {
            name: Set(LEDGER.to_owned()),
            watermark: Set(watermark),
            locked_until: Set(now),
        };
        reconciliations::Entity::insert(row)
            .on_conflict(
                OnConflict::column(reconciliations::Column::Name)
                    .do_nothing()
                    .to_owned(),
            )
            .try_insert()
            .exec_without_returning(self.database.writer())
            .await?;
        Ok(watermark)
    }

    /// It only ever moves on, however many processes compare.
    pub async fn raise_ledger_watermark(&self, to: DateTime<Utc>) -> Result<(), OrderError> {
        reconciliations::Entity::update_many()
            .col_expr(reconciliations::Column::Watermark, Expr::value(to))
            .filter(reconciliations::Column::Name.eq(LEDGER))
            .filter(reconciliations::Column::Watermark.lt(to))
            .exec(self.database.writer())
            .await?;
        Ok(())
    }
}
