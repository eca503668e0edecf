//! The provider's books against ours.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{EventId, OrderId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{BookedPayment, Discrepancy, DiscrepancyKind};
use crate::{
    Applied, ChargeOutcome, OrderError, Orders, Received,
    domain::{Attempt, OrderStatus, Verdict, judge},
    store::{orders, payment_attempts, refunds},
};

/// The name under which the reconciliation keeps its receipts in the inbox.
const CONSUMER: &str = "orders.reconcile";
/// A payment younger than this may be about to be settled by who asked for it.
const SETTLED_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// An order and its newest attempt.
struct Book {
    status: OrderStatus,
    attempt: Option<(Attempt, DateTime<Utc>)>,
}

impl Orders {
    /// What of these payments, at most a page of the provider's list, is not in our books. Reads
    /// only: three queries.
    pub async fn unsettled_payments(
        &self,
        booked: &[BookedPayment],
    ) -> Result<Vec<Discrepancy>, OrderError> {
        let now = self.clock.now();
        let books = self.books(booked).await?;
        let refunded = self.refunded(booked).await?;
        let found = booked.iter().filter_map(|payment| {
            let kind = match books.get(&payment.order_id) {
                None => DiscrepancyKind::NoSuchOrder {
                    intent_id: payment.intent_id.clone(),
                    amount: payment.amount,
                },
                Some(_) if refunded.contains(&payment.intent_id) => return None,
                Some(book) => DiscrepancyKind::Charged {
                    intent_id: payment.intent_id.clone(),
                    amount: payment.amount,
                    verdict: book.verdict(payment, now)?,
                },
            };
            Some(Discrepancy {
                order_id: payment.order_id,
                kind,
            })
        });
        Ok(found.collect())
    }

    /// Does with a payment what would have been done had its answer or its webhook arrived.
    pub async fn settle_booked(&self, payment: &BookedPayment) -> Result<Applied, OrderError> {
        let received = Received {
            consumer: CONSUMER,
            message_id: EventId::generate(self.clock.now()).as_uuid(),
        };
        let (order_id, intent_id) = (payment.order_id, &payment.intent_id);
        let confirming = self.confirm_charged(received, order_id, intent_id, payment.amount);
        if let Some(applied) = confirming.await? {
            return Ok(applied);
        }
        let outcome = ChargeOutcome::Succeeded {
            intent_id: intent_id.clone(),
            amount: payment.amount,
        };
        self.settle_charge(received, order_id, &outcome).await
    }

    async fn books(&self, booked: &[BookedPayment]) -> Result<HashMap<OrderId, Book>, OrderError> {
        let ids: HashSet<Uuid> = booked
            .iter()
            .map(|payment| payment.order_id.as_uuid())
            .collect();
        let statuses: Vec<(Uuid, String)> = orders::Entity::find()
            .select_only()
            .columns([orders::Column::Id, orders::Column::Status])
            .filter(orders::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(self.database.reader())
            .await?;
        let mut books = HashMap::with_capacity(statuses.len());
        for (id, status) in statuses {
            let book = Book {
                status: status.parse()?,
                attempt: None,
            };
            books.insert(OrderId::from(id), book);
        }
        let attempts = payment_attempts::Entity::find()
            .filter(payment_attempts::Column::OrderId.is_in(ids))
            .order_by_asc(payment_attempts::Column::CreatedAt)
            .order_by_asc(payment_attempts::Column::Id)
            .all(self.database.reader())
            .await?;
        for row in attempts {
            if let Some(book) = books.get_mut(&OrderId::from(row.order_id)) {
                book.attempt = Some((Attempt::try_from(&row)?, row.updated_at));
            }
        }
        Ok(books)
    }

    /// Those of the payments that are given back, or are about to be, or can't be.
    async fn refunded(&self, booked: &[BookedPayment]) -> Result<HashSet<String>, OrderError> {
        let intents = booked.iter().map(|payment| payment.intent_id.as_str());
        let refunded: Vec<String> = refunds::Entity::find()
            .select_only()
            .column(refunds::Column::IntentId)
            .filter(refunds::Column::IntentId.is_in(intents))
            .into_tuple()
            .all(self.database.reader())
            .await?;
        Ok(refunded.into_iter().collect())
    }
}

impl Book {
    /// `None`: there is nothing to do.
    fn verdict(&self, payment: &BookedPayment, now: DateTime<Utc>) -> Option<Verdict> {
        let attempt = self.attempt.as_ref();
        let verdict = judge(
            self.status,
            attempt.map(|(attempt, _)| attempt),
            &payment.intent_id,
            payment.amount,
        );
        match verdict {
            Verdict::Known | Verdict::Early => None,
            Verdict::Pays => {
                let is_old = attempt.is_none_or(|(_, at)| *at + SETTLED_WITHIN <= now);
                is_old.then_some(verdict)
            }
            Verdict::TooLate | Verdict::WrongAmount | Verdict::Stray => Some(verdict),
        }
    }
}
