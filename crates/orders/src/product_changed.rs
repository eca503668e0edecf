//! Telling that a product is no longer what copies of it say.

use chrono::{DateTime, Utc};
use contracts::{
    Envelope,
    order_event::SOURCE,
    product_event::{CHANGED, ProductChanged},
};
use kernel::{EventId, ProductId};
use messaging::outbox::{self, OutboxEvent};
use sea_orm::DatabaseTransaction;

use crate::OrderError;

/// Writes [`CHANGED`] into the caller's transaction, which has changed the product. Wake the relay
/// after the commit: copies are forgotten when the event arrives.
pub(crate) async fn product_changed(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    product_id: ProductId,
) -> Result<(), OrderError> {
    let id = EventId::generate(now).as_uuid();
    let traceparent = trace_context::current_traceparent();
    let data = ProductChanged {
        product_id,
        at: now,
    };
    let envelope = Envelope::new(
        id,
        SOURCE,
        CHANGED,
        product_id,
        now,
        traceparent.clone(),
        data,
    );
    let event = OutboxEvent {
        id,
        aggregate_type: "product",
        aggregate_id: product_id.into(),
        event_type: CHANGED.to_owned(),
        body: envelope.encode()?,
        traceparent,
        available_at: now,
    };
    Ok(outbox::append(transaction, now, event).await?)
}
