//! The way of an order, told from what every part of the system left behind: requests and steps
//! from the history, messages from outbox and inbox, payments, refunds and webhooks from their
//! tables. Published rows of the outbox are pruned after a day, receipts after two weeks
//! (`RelayConfig`): an older order's timeline has less in it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kernel::OrderId;
use messaging::{inbox, outbox};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Order, OrderError, Orders, charge, refund,
    store::{order_history, orders, payment_attempts, payment_notices, refunds},
};

/// The consumer that takes orders a step further, as its receipts name it.
pub const SAGA_CONSUMER: &str = "orders.saga";
/// The consumer that tells customers by mail.
pub const MAIL_CONSUMER: &str = "orders.mail";

/// How an activity that handles a message is called, before the type of the message.
const HANDLING: &str = "process ";

/// Something that happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    pub at: DateTime<Utc>,
    /// When it was over, if it took a time and has ended.
    pub until: Option<DateTime<Utc>>,
    pub kind: TimelineKind,
    /// The state, the type of the event, the request: whatever the kind is about.
    pub what: String,
    /// More about it: who consumed the message, the provider's name for the payment.
    pub detail: Option<String>,
    /// The trace that it belongs to, 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

/// In the order in which things happen that happen at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    /// A client's request, until its transaction wrote the order's new state.
    Request,
    /// The provider told that there is news.
    Webhook,
    /// A message was taken in hand, until its transaction wrote the order's new state. Orders that
    /// are taken a step further together have a step together.
    Step,
    /// The order came into a state.
    State,
    /// An event, from the row in the outbox until the broker had it.
    Message,
    /// A consumer applied the event.
    Consumed,
    /// The provider was asked for the money, until its answer was recorded.
    Payment,
    /// The provider was asked to give money back, until its answer was recorded.
    Refund,
    /// The customer was told by mail.
    Notification,
}

impl TimelineKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Webhook => "webhook",
            Self::Step => "step",
            Self::State => "state",
            Self::Message => "message",
            Self::Consumed => "consumed",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Notification => "notification",
        }
    }
}

/// What the timelines of some orders are told from.
struct Traces {
    history: Vec<order_history::Model>,
    outbox: HashMap<Uuid, outbox::Model>,
    receipts: Vec<inbox::Model>,
    attempts: Vec<payment_attempts::Model>,
    refunds: Vec<refunds::Model>,
    notices: Vec<payment_notices::Model>,
}

impl Orders {
    /// The order of this id or number, for who runs the system.
    pub async fn find_order(&self, name: &str) -> Result<Option<Order>, OrderError> {
        let by_name = match Uuid::try_parse(name) {
            Ok(id) => orders::Entity::find_by_id(id),
            Err(_) => {
                orders::Entity::find().filter(orders::Column::Number.eq(name.to_ascii_uppercase()))
            }
        };
        let row = by_name.one(self.database.reader()).await?;
        row.map(Order::try_from).transpose()
    }

    /// The timelines of any number of orders, which the caller has read, with six queries.
    pub async fn timelines_of(
        &self,
        ids: &[OrderId],
    ) -> Result<HashMap<OrderId, Vec<TimelineEntry>>, OrderError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let traces = self.traces_of(ids).await?;
        let mut timelines: HashMap<OrderId, Vec<TimelineEntry>> = HashMap::new();
        for (order_id, entry) in traces.entries() {
            timelines.entry(order_id).or_default().push(entry);
        }
        for timeline in timelines.values_mut() {
            timeline.sort_by_key(|entry| (entry.at, entry.kind));
        }
        Ok(timelines)
    }

    async fn traces_of(&self, ids: &[OrderId]) -> Result<Traces, DbErr> {
        let reader = self.database.reader();
        let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        let history = order_history::Entity::find()
            .filter(order_history::Column::OrderId.is_in(ids.iter().copied()))
            .all(reader)
            .await?;
        let events: Vec<Uuid> = history.iter().filter_map(|row| row.event_id).collect();
        let outbox = outbox::Entity::find()
            .filter(outbox::Column::Id.is_in(events.iter().copied()))
            .all(reader)
            .await?;
        let receipts = inbox::Entity::find()
            .filter(inbox::Column::Consumer.is_in([SAGA_CONSUMER, MAIL_CONSUMER]))
            .filter(inbox::Column::MessageId.is_in(events))
            .all(reader)
            .await?;
        let attempts = payment_attempts::Entity::find()
            .filter(payment_attempts::Column::OrderId.is_in(ids.iter().copied()))
            .all(reader)
            .await?;
        let refunds = refunds::Entity::find()
            .filter(refunds::Column::OrderId.is_in(ids))
            .all(reader)
            .await?;
        let intents = attempts.iter().filter_map(|row| row.intent_id.as_deref());
        let intents = intents.chain(refunds.iter().map(|row| row.intent_id.as_str()));
        let notices = payment_notices::Entity::find()
            .filter(payment_notices::Column::IntentId.is_in(intents))
            .all(reader)
            .await?;
        Ok(Traces {
            history,
            outbox: outbox.into_iter().map(|row| (row.id, row)).collect(),
            receipts,
            attempts,
            refunds,
            notices,
        })
    }
}

impl Traces {
    fn entries(&self) -> Vec<(OrderId, TimelineEntry)> {
        let mut entries = self.activities();
        entries.extend(self.states_and_messages());
        entries.extend(self.receipts());
        entries.extend(self.payments());
        entries.extend(self.refunds());
        entries.extend(self.webhooks());
        entries
    }

    /// Requests and steps. One that led to several states lasted until the last of them.
    fn activities(&self) -> Vec<(OrderId, TimelineEntry)> {
        let mut found: BTreeMap<_, TimelineEntry> = BTreeMap::new();
        let placed = self.history.iter().filter(|row| row.version == 1);
        let placed: HashMap<_, _> = placed.map(|row| (row.order_id, row.at)).collect();
        for row in &self.history {
            let (Some(origin), Some(started_at)) = (&row.origin, row.started_at) else {
                continue;
            };
            // When it began is reckoned back from the clock that wrote the state, which is a little
            // off where many were written together. No step began before there was an order.
            let (kind, started_at) = if origin.starts_with(HANDLING) {
                let placed_at = placed.get(&row.order_id).copied();
                let began = placed_at.map_or(started_at, |placed_at| placed_at.max(started_at));
                (TimelineKind::Step, began)
            } else {
                (TimelineKind::Request, started_at)
            };
            let entry = TimelineEntry {
                until: Some(row.at),
                trace_id: row.trace_id.clone(),
                ..entry(started_at, kind, origin)
            };
            let known = found
                .entry((row.order_id, started_at, origin))
                .or_insert(entry);
            known.until = known.until.max(Some(row.at));
        }
        let of_orders = found.into_iter();
        of_orders
            .map(|((order_id, ..), entry)| (order_id.into(), entry))
            .collect()
    }

    fn states_and_messages(&self) -> Vec<(OrderId, TimelineEntry)> {
        let mut entries = Vec::new();
        for row in &self.history {
            let order_id = row.order_id.into();
            let state = TimelineEntry {
                trace_id: row.trace_id.clone(),
                ..entry(row.at, TimelineKind::State, &row.status)
            };
            entries.push((order_id, state));
            let message = row.event_id.and_then(|id| self.outbox.get(&id));
            if let Some(message) = message {
                let waits = || format!("not published, taken {} times", message.attempts);
                let message = TimelineEntry {
                    until: message.published_at,
                    detail: message.published_at.is_none().then(waits),
                    trace_id: row.trace_id.clone(),
                    ..entry(
                        message.available_at,
                        TimelineKind::Message,
                        &message.event_type,
                    )
                };
                entries.push((order_id, message));
            }
        }
        entries
    }

    fn receipts(&self) -> Vec<(OrderId, TimelineEntry)> {
        let told: HashMap<Uuid, &order_history::Model> = self
            .history
            .iter()
            .filter_map(|row| Some((row.event_id?, row)))
            .collect();
        let mut entries = Vec::new();
        for receipt in &self.receipts {
            let Some(row) = told.get(&receipt.message_id) else {
                continue;
            };
            let kind = if receipt.consumer == MAIL_CONSUMER {
                TimelineKind::Notification
            } else {
                TimelineKind::Consumed
            };
            let consumed = TimelineEntry {
                detail: Some(receipt.consumer.clone()),
                trace_id: row.trace_id.clone(),
                ..entry(receipt.received_at, kind, &row.status)
            };
            entries.push((row.order_id.into(), consumed));
        }
        entries
    }

    fn payments(&self) -> Vec<(OrderId, TimelineEntry)> {
        let attempts = self.attempts.iter().map(|row| {
            let payment = TimelineEntry {
                until: (row.status != charge::OPEN).then_some(row.updated_at),
                detail: row.intent_id.clone(),
                ..entry(row.created_at, TimelineKind::Payment, &row.status)
            };
            (row.order_id.into(), payment)
        });
        attempts.collect()
    }

    fn refunds(&self) -> Vec<(OrderId, TimelineEntry)> {
        let refunds = self.refunds.iter().map(|row| {
            let provider_refund_id = row.provider_refund_id.as_ref();
            let refund = TimelineEntry {
                until: (row.status != refund::OPEN).then_some(row.updated_at),
                detail: provider_refund_id.or(Some(&row.intent_id)).cloned(),
                ..entry(row.created_at, TimelineKind::Refund, &row.status)
            };
            (row.order_id.into(), refund)
        });
        refunds.collect()
    }

    fn webhooks(&self) -> Vec<(OrderId, TimelineEntry)> {
        let of_attempts = self
            .attempts
            .iter()
            .filter_map(|row| Some((row.intent_id.as_deref()?, row.order_id)));
        let of_refunds = self
            .refunds
            .iter()
            .map(|row| (row.intent_id.as_str(), row.order_id));
        let orders: HashMap<_, _> = of_refunds.chain(of_attempts).collect();
        let mut entries = Vec::new();
        for notice in &self.notices {
            let Some(order_id) = orders.get(notice.intent_id.as_str()) else {
                continue;
            };
            let webhook = TimelineEntry {
                detail: Some(notice.event_id.clone()),
                ..entry(
                    notice.received_at,
                    TimelineKind::Webhook,
                    &notice.event_type,
                )
            };
            entries.push(((*order_id).into(), webhook));
        }
        entries
    }
}

/// A moment of which nothing else is known yet.
fn entry(at: DateTime<Utc>, kind: TimelineKind, what: &str) -> TimelineEntry {
    TimelineEntry {
        at,
        until: None,
        kind,
        what: what.to_owned(),
        detail: None,
        trace_id: None,
    }
}
