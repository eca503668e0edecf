//! A webhook of the payment provider: stored and answered at once, worked on by the worker.

use std::collections::HashSet;

use contracts::{
    Envelope,
    order_event::{PAYMENT_NOTICE_RECEIVED, PaymentNoticeReceived, SOURCE},
};
use kernel::EventId;
use messaging::outbox::{self, OutboxEvent};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, TryInsertResult,
    sea_query::OnConflict,
};

use crate::{
    OrderError, Orders,
    charge::SUCCEEDED,
    store::{payment_attempts, payment_notices},
};

/// The provider's event type (<https://docs.stripe.com/api/events/types>).
const PAYMENT_SUCCEEDED: &str = "payment_intent.succeeded";

/// What a webhook, whose signature has been verified, says. It is only a hint: the worker asks
/// the provider for the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentNotice {
    pub provider_event_id: String,
    pub event_type: String,
    pub intent_id: String,
}

impl Orders {
    /// Stores a notice; whether it is new. A repeated one is recognised by the provider's id.
    pub async fn receive_payment_notice(&self, notice: &PaymentNotice) -> Result<bool, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let row = payment_notices::Model {
            event_id: notice.provider_event_id.clone(),
            intent_id: notice.intent_id.clone(),
            event_type: notice.event_type.clone(),
            received_at: now,
        };
        let inserted = payment_notices::Entity::insert(payment_notices::ActiveModel::from(row))
            .on_conflict(
                OnConflict::column(payment_notices::Column::EventId)
                    .do_nothing()
                    .to_owned(),
            )
            .try_insert()
            .exec_without_returning(&transaction)
            .await?;
        if !matches!(inserted, TryInsertResult::Inserted(1..)) {
            return Ok(false);
        }
        let id = EventId::generate(now).as_uuid();
        let traceparent = trace_context::current_traceparent();
        let data = PaymentNoticeReceived {
            provider_event_id: notice.provider_event_id.clone(),
            intent_id: notice.intent_id.clone(),
        };
        let envelope = Envelope::new(
            id,
            SOURCE,
            PAYMENT_NOTICE_RECEIVED,
            &notice.intent_id,
            now,
            traceparent.clone(),
            data,
        );
        let event = OutboxEvent {
            id,
            aggregate_type: "payment_notice",
            aggregate_id: id,
            event_type: PAYMENT_NOTICE_RECEIVED.to_owned(),
            body: envelope.encode()?,
            traceparent,
            available_at: now,
        };
        outbox::append(&transaction, now, event).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(true)
    }

    /// Whether a stored notice says that a payment succeeded which is known to have: what the
    /// provider tells of nearly every payment, right after its own answer to the call. It need not
    /// be asked about that again. What is asked at the same moment is looked up with one query.
    pub async fn is_old_news(&self, provider_event_id: &str) -> Result<bool, OrderError> {
        self.batches
            .noticing
            .run(provider_event_id.to_owned(), |batch| {
                self.are_old_news(batch)
            })
            .await
    }

    async fn are_old_news(&self, batch: Vec<String>) -> Result<Vec<bool>, OrderError> {
        let attempts = payment_notices::Entity::belongs_to(payment_attempts::Entity)
            .from(payment_notices::Column::IntentId)
            .to(payment_attempts::Column::IntentId)
            .into();
        let old: HashSet<String> = payment_notices::Entity::find()
            .select_only()
            .column(payment_notices::Column::EventId)
            .join(JoinType::InnerJoin, attempts)
            .filter(payment_notices::Column::EventId.is_in(&batch))
            .filter(payment_notices::Column::EventType.eq(PAYMENT_SUCCEEDED))
            .filter(payment_attempts::Column::Status.eq(SUCCEEDED))
            .into_tuple()
            .all(self.database.reader())
            .await?
            .into_iter()
            .collect();
        Ok(batch.iter().map(|id| old.contains(id)).collect())
    }
}
