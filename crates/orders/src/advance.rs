//! The one way in which an order changes its state.

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
    let from = to.predecessors().filter(|from| allowed.contains(from));
    let from = from.map(OrderStatus::as_str);
    let updated = orders::Entity::update_many()
        .col_expr(orders::Column::Status, Expr::value(to.as_str()))
        .col_expr(
            orders::Column::Version,
            Expr::col(orders::Column::Version).add(1),
        )
        .col_expr(orders::Column::UpdatedAt, Expr::value(now))
        .col_expr(orders::Column::DeadlineAt, Expr::value(deadline(to, now)))
        .filter(orders::Column::Id.eq(order_id.as_uuid()))
        .filter(orders::Column::Status.is_in(from))
        .exec_with_returning(transaction)
        .await?;
    let Some(row) = updated.into_iter().next() else {
        return Ok(None);
    };
    let order = Order::try_from(row)?;
    record(transaction, now, &order).await?;
    Ok(Some(order))
}

/// Writes the history row and the event of the state that `order` has just entered.
pub(crate) async fn record(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    order: &Order,
) -> Result<(), OrderError> {
    let data = OrderTransitioned {
        order_id: order.id,
        customer_id: order.customer_id,
        status: order.status.as_str().to_owned(),
        version: order.version,
        at: now,
    };
    let event = event(now, order.id, order.status.event_type().as_str(), data)?;
    let activity = Activity::current();
    let trace_id = event.traceparent.as_deref();
    let history = order_history::ActiveModel {
        order_id: Set(order.id.into()),
        version: Set(order.version),
        status: Set(order.status.as_str().to_owned()),
        at: Set(now),
        event_id: Set(Some(event.id)),
        trace_id: Set(trace_id.and_then(trace_context::trace_id_of)),
        origin: Set(activity.as_ref().map(|activity| activity.name().to_owned())),
        started_at: Set(activity.map(|activity| activity.began_at(now))),
    };
    order_history::Entity::insert(history)
        .exec_without_returning(transaction)
        .await?;
    Ok(outbox::append(transaction, now, event).await?)
}

/// An event about an order, in the current trace.
pub(crate) fn event<T: serde::Serialize>(
    now: DateTime<Utc>,
    order_id: OrderId,
    event_type: &str,
    data: T,
) -> Result<OutboxEvent, OrderError> {
    let id = EventId::generate(now).as_uuid();
    let traceparent = trace_context::current_traceparent();
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
