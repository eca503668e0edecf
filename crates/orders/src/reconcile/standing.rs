//! What stands still in our own books.

use std::collections::HashSet;

use chrono::TimeDelta;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, IntoIden, Query},
};

use super::{Discrepancy, DiscrepancyKind};
use crate::{
    OrderError, Orders,
    domain::OrderStatus,
    overdue::waiting_events,
    refund::{FAILED, OPEN},
    store::{orders, refunds},
};

/// How many of each kind are looked at in one run.
const MOST: u64 = 1_000;
/// The sweep finds what is overdue within seconds. What is so for this long, it has not found.
const LATE: TimeDelta = TimeDelta::seconds(60);

impl Orders {
    /// Orders and refunds on which nothing is on its way, at most a thousand of each kind, the
    /// oldest first. Reads only.
    pub async fn standing_still(&self) -> Result<Vec<Discrepancy>, OrderError> {
        let mut found = self.orders_standing_still().await?;
        let taken_up: HashSet<_> = found.iter().map(|found| found.order_id).collect();
        let waiting = self.refunds_that_wait().await?.into_iter();
        found.extend(waiting.filter(|refund| !taken_up.contains(&refund.order_id)));
        found.extend(self.refunds_given_up().await?);
        Ok(found)
    }

    async fn orders_standing_still(&self) -> Result<Vec<Discrepancy>, OrderError> {
        let late = self.clock.now() - LATE;
        let unknown = Condition::all()
            .add(orders::Column::Status.eq(OrderStatus::PaymentUnknown.as_str()))
            .add(orders::Column::UpdatedAt.lte(late))
            // As every state with work left has: the few that do are what the index holds.
            .add(orders::Column::DeadlineAt.is_not_null());
        let overdue = Condition::all()
            .add(orders::Column::DeadlineAt.lte(late))
            .add(orders::Column::Status.ne(OrderStatus::PaymentUnknown.as_str()));
        let mut found = Vec::new();
        for which in [unknown, overdue] {
            let rows = orders::Entity::find()
                .filter(which)
                .filter(Expr::exists(waiting_events()).not())
                .order_by_asc(orders::Column::DeadlineAt)
                .limit(MOST)
                .all(self.database.reader())
                .await?;
            for row in rows {
                let status: OrderStatus = row.status.parse()?;
                let kind = if status == OrderStatus::PaymentUnknown {
                    DiscrepancyKind::PaymentUnknown {
                        since: row.updated_at,
                    }
                } else {
                    DiscrepancyKind::Overdue {
                        status,
                        since: row.deadline_at.unwrap_or(row.updated_at),
                    }
                };
                found.push(Discrepancy {
                    order_id: row.id.into(),
                    kind,
                });
            }
        }
        Ok(found)
    }

    async fn refunds_that_wait(&self) -> Result<Vec<Discrepancy>, OrderError> {
        let late = self.clock.now() - LATE;
        let is_due = Condition::any()
            .add(refunds::Column::DueAt.is_null())
            .add(refunds::Column::DueAt.lte(late));
        let is_attended_to = Query::select()
            .expr(Expr::value(1))
            .from(orders::Entity)
            .and_where(
                Expr::col((orders::Entity, orders::Column::Id))
                    .equals((refunds::Entity, refunds::Column::OrderId)),
            )
            .and_where(Expr::exists(waiting_events()))
            .take();
        let rows = refunds::Entity::find()
            .filter(refunds::Column::Status.eq(OPEN))
            .filter(refunds::Column::UpdatedAt.lte(late))
            .filter(is_due)
            .filter(Expr::exists(is_attended_to).not())
            .order_by_asc(refunds::Column::CreatedAt)
            .limit(MOST)
            .all(self.database.reader())
            .await?;
        let mut orders = HashSet::new();
        let rows = rows.into_iter().filter(|row| orders.insert(row.order_id));
        Ok(rows
            .map(|row| Discrepancy {
                order_id: row.order_id.into(),
                kind: DiscrepancyKind::RefundWaits {
                    intent_id: row.intent_id,
                },
            })
            .collect())
    }

    async fn refunds_given_up(&self) -> Result<Vec<Discrepancy>, OrderError> {
        let other = Alias::new("other").into_iden();
        let is_tried_again = Query::select()
            .expr(Expr::value(1))
            .from_as(refunds::Entity, other.clone())
            .and_where(
                Expr::col((other.clone(), refunds::Column::IntentId))
                    .equals((refunds::Entity, refunds::Column::IntentId)),
            )
            .and_where(Expr::col((other, refunds::Column::Status)).ne(FAILED))
            .take();
        let rows = refunds::Entity::find()
            .filter(refunds::Column::Status.eq(FAILED))
            .filter(Expr::exists(is_tried_again).not())
            .order_by_desc(refunds::Column::UpdatedAt)
            .limit(MOST)
            .all(self.database.reader())
            .await?;
        let mut intents = HashSet::new();
        let last = rows
            .into_iter()
            .filter(|row| intents.insert(row.intent_id.clone()));
        Ok(last
            .map(|row| Discrepancy {
                order_id: row.order_id.into(),
                kind: DiscrepancyKind::RefundGivenUp {
                    intent_id: row.intent_id,
                    reason: row.failure.unwrap_or_default(),
                },
            })
            .collect())
    }
}
