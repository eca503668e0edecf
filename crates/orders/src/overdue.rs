//! Every state with work left has a deadline. An order past it is taken up again: whatever was
//! lost on its way, a message, a webhook or an answer, it still reaches its end.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::saga_event::{DEADLINE_PASSED, RECONCILED, STEP_OVERDUE, StepOverdue};
use kernel::OrderId;
use messaging::outbox::{self, OutboxEvent};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Query, SelectStatement},
};

use crate::{Order, OrderError, Orders, advance, domain::OrderStatus, store::orders};

/// How many orders are taken up by one transaction.
const BATCH: u64 = 100;
/// When an order that was taken up is overdue again.
const NEXT_LOOK: TimeDelta = TimeDelta::seconds(60);

impl Orders {
    /// Emits [`STEP_OVERDUE`] for orders that are past their deadline and moves the deadline on.
    /// Any number of workers may call it. Returns how many orders it took up.
    ///
    /// An order of which an event still waits in the outbox is late and not lost: it is left
    /// alone, so that a broker that is away does not find a flood when it comes back.
    pub async fn take_up_overdue(&self) -> Result<usize, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let mut overdue = orders::Entity::find()
            .select_only()
            .column(orders::Column::Id)
            .filter(orders::Column::DeadlineAt.lte(now))
            .filter(Expr::exists(waiting_events()).not())
            .order_by_asc(orders::Column::DeadlineAt)
            .limit(BATCH)
            .into_query();
        database::lock_skipping_locked(&mut overdue, self.database.backend());
        let rows = orders::Entity::update_many()
            .col_expr(orders::Column::DeadlineAt, Expr::value(now + NEXT_LOOK))
            .filter(orders::Column::Id.in_subquery(overdue))
            .exec_with_returning(&transaction)
            .await?;
        let events = rows
            .iter()
            .map(|row| {
                let order_id = OrderId::from(row.id);
                event(now, order_id, DEADLINE_PASSED)
            })
            .collect::<Result<Vec<_>, _>>()?;
        outbox::append_all(&transaction, now, events).await?;
        transaction.commit().await?;
        if !rows.is_empty() {
            self.relay.wake();
        }
        Ok(rows.len())
    }

    /// Emits [`STEP_OVERDUE`] for these orders, whatever their deadlines, and moves those on.
    pub async fn take_up(&self, ids: &[OrderId]) -> Result<(), OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        orders::Entity::update_many()
            .col_expr(orders::Column::DeadlineAt, Expr::value(now + NEXT_LOOK))
            .filter(orders::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
            .filter(orders::Column::DeadlineAt.is_not_null())
            .exec(&transaction)
            .await?;
        let events = ids.iter().map(|&order_id| event(now, order_id, RECONCILED));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        outbox::append_all(&transaction, now, events).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(())
    }

    /// Where an order stands, for the worker.
    pub async fn status(&self, order_id: OrderId) -> Result<Option<OrderStatus>, OrderError> {
        let row = orders::Entity::find_by_id(order_id.as_uuid())
            .one(self.database.writer())
            .await?;
        Ok(row
            .map(Order::try_from)
            .transpose()?
            .map(|order| order.status))
    }
}

/// Asks the worker to look at the order again.
pub(crate) fn event(
    now: DateTime<Utc>,
    order_id: OrderId,
    reason: &str,
) -> Result<OutboxEvent, OrderError> {
    let reason = reason.to_owned();
    let data = StepOverdue { order_id, reason };
    let traceparent = trace_context::current_traceparent();
    advance::event(now, order_id, STEP_OVERDUE, data, traceparent)
}

/// Events of the order at hand that the relay has not published yet.
pub(crate) fn waiting_events() -> SelectStatement {
    let of_event = |column: outbox::Column| Expr::col((outbox::Entity, column));
    Query::select()
        .expr(Expr::value(1))
        .from(outbox::Entity)
        .and_where(
            of_event(outbox::Column::AggregateId).equals((orders::Entity, orders::Column::Id)),
        )
        .and_where(of_event(outbox::Column::PublishedAt).is_null())
        .take()
}
