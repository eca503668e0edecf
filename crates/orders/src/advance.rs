//! The one way in which an order changes its state.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::{
    Envelope,
    order_event::{OrderTransitioned, SOURCE},
};
use kernel::{EventId, OrderId};
use messaging::outbox::{self, OutboxEvent};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    sea_query::Expr,
};
use trace_context::Activity;

use crate::{
    Order, OrderError,
    domain::OrderStatus,
    store::{order_history, orders},
};

/// The aggregate type of every order event.
pub(crate) const ORDER: &str = "order";

/// Moves the order to `to`, if the machine allows that from where it is: state, history and event
/// in the caller's transaction. `None`: it is elsewhere, and nothing was written.
pub(crate) async fn advance(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    to: OrderStatus,
) -> Result<Option<Order>, OrderError> {
    advance_from(transaction, now, order_id, &OrderStatus::ALL, to).await
}

/// [`advance`] for who may only do so from some of the states that the machine allows.
pub(crate) async fn advance_from(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order_id: OrderId,
    allowed: &[OrderStatus],
    to: OrderStatus,
) -> Result<Option<Order>, OrderError> {
    let order = HashMap::from([(order_id, Origin::current())]);
    let mut moved = advance_along(transaction, now, &order, allowed, &[to]).await?;
    Ok(moved.pop())
}

/// Moves every one of the orders along `path`, from where the machine allows its first state to be
/// entered: one statement for the states, one for the history and one for the events, each with
/// its order's own origin. Those that are elsewhere are left alone; the others are returned.
///
/// To move many at once, lock them first, in the order of their ids: others may do the same.
pub(crate) async fn advance_all(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    origins: &HashMap<OrderId, Origin>,
    path: &[OrderStatus],
) -> Result<Vec<Order>, OrderError> {
    advance_along(transaction, now, origins, &OrderStatus::ALL, path).await
}

async fn advance_along(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    origins: &HashMap<OrderId, Origin>,
    allowed: &[OrderStatus],
    path: &[OrderStatus],
) -> Result<Vec<Order>, OrderError> {
    debug_assert!(path.is_sorted_by(|from, to| from.successors().contains(to)));
    let (Some(first), Some(last)) = (path.first(), path.last()) else {
        return Ok(Vec::new());
    };
    if origins.is_empty() {
        return Ok(Vec::new());
    }
    let from = first.predecessors().filter(|from| allowed.contains(from));
    let from = from.map(OrderStatus::as_str);
    let steps = i32::try_from(path.len()).unwrap_or(i32::MAX);
    let rows = orders::Entity::update_many()
        .col_expr(orders::Column::Status, Expr::value(last.as_str()))
        .col_expr(
            orders::Column::Version,
            Expr::col(orders::Column::Version).add(steps),
        )
        .col_expr(orders::Column::UpdatedAt, Expr::value(now))
        .col_expr(
            orders::Column::DeadlineAt,
            Expr::value(deadline(*last, now)),
        )
        .filter(orders::Column::Id.is_in(origins.keys().map(|id| id.as_uuid())))
        .filter(orders::Column::Status.is_in(from))
        .exec_with_returning(transaction)
        .await?;
    let moved = rows.into_iter().map(Order::try_from);
    let moved = moved.collect::<Result<Vec<_>, _>>()?;
    let mut entered = Vec::with_capacity(moved.len() * path.len());
    for order in &moved {
        // Whatever was moved is among those that were to be.
        let Some(origin) = origins.get(&order.id) else {
            continue;
        };
        for (version, status) in (order.version - steps + 1..).zip(path) {
            entered.push(Entered {
                order,
                status: *status,
                version,
                origin,
            });
        }
    }
    record_all(transaction, now, &entered).await?;
    Ok(moved)
}

/// What asks for a transition: its trace, and the request or message that it is done for. One
/// transaction moves orders that are asked for by many.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    traceparent: Option<String>,
    activity: Option<Activity>,
}

/// A state that an order has just entered.
struct Entered<'o> {
    order: &'o Order,
    status: OrderStatus,
    version: i32,
    origin: &'o Origin,
}

/// Writes the history row and the event of the state that `order` has just entered.
pub(crate) async fn record(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order: &Order,
) -> Result<(), OrderError> {
    let entered = Entered {
        order,
        status: order.status,
        version: order.version,
        origin: &Origin::current(),
    };
    record_all(transaction, now, &[entered]).await
}

async fn record_all(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    entered: &[Entered<'_>],
) -> Result<(), OrderError> {
    if entered.is_empty() {
        return Ok(());
    }
    let mut history = Vec::with_capacity(entered.len());
    let mut events = Vec::with_capacity(entered.len());
    for entered in entered {
        let event = entered.event(now)?;
        history.push(entered.history(now, &event));
        events.push(event);
    }
    order_history::Entity::insert_many(history)
        .exec_without_returning(transaction)
        .await?;
    Ok(outbox::append_all(transaction, now, events).await?)
}

impl Entered<'_> {
    fn event(&self, now: DateTime<Utc>) -> Result<OutboxEvent, OrderError> {
        let data = OrderTransitioned {
            order_id: self.order.id,
            customer_id: self.order.customer_id,
            status: self.status.as_str().to_owned(),
            version: self.version,
            at: now,
        };
        let event_type = self.status.event_type().as_str();
        let traceparent = self.origin.traceparent.clone();
        event(now, self.order.id, event_type, data, traceparent)
    }

    fn history(&self, now: DateTime<Utc>, event: &OutboxEvent) -> order_history::ActiveModel {
        let activity = self.origin.activity.as_ref();
        let trace_id = event.traceparent.as_deref();
        order_history::ActiveModel {
            order_id: Set(self.order.id.into()),
            version: Set(self.version),
            status: Set(self.status.as_str().to_owned()),
            at: Set(now),
            event_id: Set(Some(event.id)),
            trace_id: Set(trace_id.and_then(trace_context::trace_id_of)),
            origin: Set(activity.map(|activity| activity.name().to_owned())),
            started_at: Set(activity.map(|activity| activity.began_at(now))),
        }
    }
}

impl Origin {
    pub(crate) fn current() -> Self {
        Self {
            traceparent: trace_context::current_traceparent(),
            activity: Activity::current(),
        }
    }
}

/// An event about an order.
pub(crate) fn event<T: serde::Serialize>(
    now: DateTime<Utc>,
    order_id: OrderId,
    event_type: &str,
    data: T,
    traceparent: Option<String>,
) -> Result<OutboxEvent, OrderError> {
    let id = EventId::generate(now).as_uuid();
    let envelope = Envelope::new(
        id,
        SOURCE,
        event_type,
        order_id,
        now,
        traceparent.clone(),
        data,
    );
    Ok(OutboxEvent {
        id,
        aggregate_type: ORDER,
        aggregate_id: order_id.into(),
        event_type: event_type.to_owned(),
        body: envelope.encode()?,
        traceparent,
        available_at: now,
    })
}

pub(crate) fn deadline(status: OrderStatus, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    status.deadline().map(|wait| now + wait)
}
