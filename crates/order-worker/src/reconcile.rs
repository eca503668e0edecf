//! Compares the payment provider's books with ours, and takes up what stands still: on a schedule in
//! the worker, and by `plumbline reconcile`.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::SharedClock;
use orders::{BookedPayment, Discrepancy, DiscrepancyKind, OrderError, Orders};
use payment::{Intent, IntentStatus, ListIntents, PaymentError, Stripe};
use service_kit::problem::chain;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Pages of the provider's largest size.
const PAGE_SIZE: u8 = 100;
/// The books are read in parts of this length, the oldest first, and each is done for good.
const PART: TimeDelta = TimeDelta::hours(6);
/// What is younger than this is looked at again by the next run: it may still change, and the
/// provider's clock may be behind ours.
const STILL_MOVING: TimeDelta = TimeDelta::minutes(10);

const LONGEST_LEASE: TimeDelta = TimeDelta::days(365);

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("can't read or write the orders")]
    Orders(#[from] OrderError),
    #[error("can't read the payment provider's ledger")]
    Ledger(#[from] PaymentError),
}

/// Whether what is found is mended, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Mend,
    DryRun,
}

/// A run's sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Payments of the provider that were compared.
    pub compared: usize,
    pub found: usize,
    /// Of these, how many are left as they are: in a dry run all of them.
    pub left: usize,
}

/// One run.
pub struct Reconciliation<'a> {
    pub orders: &'a Orders,
    /// `None`: its books can't be read from here.
    pub provider: Option<&'a Stripe>,
    pub clock: SharedClock,
    pub mode: Mode,
    /// Compare the books from here, instead of where the last run ended.
    pub since: Option<DateTime<Utc>>,
}

impl Reconciliation<'_> {
    /// Each discrepancy is told as soon as it is found, and before it is mended.
    pub async fn run(
        &self,
        told: &mut (dyn FnMut(&Discrepancy) + Send),
    ) -> Result<Reconciled, ReconcileError> {
        let mut sum = Reconciled::default();
        let mut settled = HashSet::new();
        if let Some(provider) = self.provider {
            let mut told = |discrepancy: &Discrepancy| {
                settled.insert(discrepancy.order_id);
                told(discrepancy);
            };
            self.compare(provider, &mut sum, &mut told).await?;
        }
        let standing = self.orders.standing_still().await?;
        let mut taken_up = Vec::new();
        // Told once: what becomes of an order's payment is what it stands still for.
        let standing = standing
            .iter()
            .filter(|discrepancy| !settled.contains(&discrepancy.order_id));
        for discrepancy in standing {
            self.found(discrepancy, &mut sum, told);
            if !discrepancy.kind.needs_a_person() {
                taken_up.push(discrepancy.order_id);
            }
        }
        if self.mode == Mode::Mend {
            for some in taken_up.chunks(usize::from(PAGE_SIZE)) {
                self.orders.take_up(some).await?;
            }
        }
        Ok(sum)
    }

    async fn compare(
        &self,
        provider: &Stripe,
        sum: &mut Reconciled,
        told: &mut (dyn FnMut(&Discrepancy) + Send),
    ) -> Result<(), ReconcileError> {
        let end = self.clock.now();
        let mut from = match self.since {
            Some(since) => since,
            None => self.orders.ledger_watermark().await? - STILL_MOVING,
        };
        while from < end {
            let to = from + PART;
            let before = (to < end).then_some(to);
            self.compare_part(provider, (from, before), sum, told)
                .await?;
            if self.mode == Mode::Mend {
                let done = to.min(end);
                self.orders.raise_ledger_watermark(done).await?;
            }
            from = to;
        }
        Ok(())
    }

    async fn compare_part(
        &self,
        provider: &Stripe,
        (from, before): (DateTime<Utc>, Option<DateTime<Utc>>),
        sum: &mut Reconciled,
        told: &mut (dyn FnMut(&Discrepancy) + Send),
    ) -> Result<(), ReconcileError> {
        let mut list = ListIntents {
            created_from: from,
            created_before: before,
            starting_after: None,
            limit: PAGE_SIZE,
        };
        loop {
            let page = provider.list_intents(&list).await?;
            list.starting_after = page.items.last().map(|intent| intent.id.clone());
            let taken: Vec<_> = page.items.into_iter().filter_map(booked).collect();
            sum.compared += taken.len();
            for discrepancy in self.orders.unsettled_payments(&taken).await? {
                self.found(&discrepancy, sum, told);
                if self.mode == Mode::Mend
                    && let Some(payment) = to_settle(discrepancy)
                {
                    let applied = self.orders.settle_booked(&payment).await?;
                    tracing::debug!(order_id = %payment.order_id, ?applied, "settled");
                }
            }
            if !page.has_more {
                return Ok(());
            }
        }
    }

    fn found(
        &self,
        discrepancy: &Discrepancy,
        sum: &mut Reconciled,
        told: &mut (dyn FnMut(&Discrepancy) + Send),
    ) {
        sum.found += 1;
        let is_left = self.mode == Mode::DryRun || discrepancy.kind.needs_a_person();
        sum.left += usize::from(is_left);
        told(discrepancy);
    }
}

/// What the provider has taken for one of our orders.
fn booked(intent: Intent) -> Option<BookedPayment> {
    let is_taken = intent.status == IntentStatus::Succeeded;
    let order_id = intent.order_id.filter(|_| is_taken)?;
    Some(BookedPayment {
        order_id,
        intent_id: intent.id,
        amount: intent.amount_received,
    })
}

fn to_settle(discrepancy: Discrepancy) -> Option<BookedPayment> {
    match discrepancy.kind {
        DiscrepancyKind::Charged {
            intent_id, amount, ..
        } => Some(BookedPayment {
            order_id: discrepancy.order_id,
            intent_id,
            amount,
        }),
        DiscrepancyKind::NoSuchOrder { .. }
        | DiscrepancyKind::PaymentUnknown { .. }
        | DiscrepancyKind::Overdue { .. }
        | DiscrepancyKind::RefundWaits { .. }
        | DiscrepancyKind::RefundGivenUp { .. } => None,
    }
}

/// Reconciles every so often. Any number of workers may do so: one of them does each run.
pub(crate) async fn run(
    orders: Orders,
    provider: Stripe,
    clock: SharedClock,
    every: Duration,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let reconciliation = Reconciliation {
            orders: &orders,
            provider: Some(&provider),
            clock: clock.clone(),
            mode: Mode::Mend,
            since: None,
        };
        // What is mended is mended in transactions of its own, so a run may end anywhere.
        tokio::select! {
            () = stop.cancelled() => return,
            () = turn(&reconciliation, every) => {}
        }
    }
}

async fn turn(reconciliation: &Reconciliation<'_>, every: Duration) {
    let lease = TimeDelta::from_std(every).unwrap_or(LONGEST_LEASE);
    let outcome = match reconciliation.orders.may_reconcile(lease).await {
        Ok(false) => return,
        Ok(true) => reconciliation.run(&mut count).await,
        Err(error) => Err(error.into()),
    };
    let outcome = match outcome {
        Ok(sum) => {
            tracing::info!(sum.compared, sum.found, sum.left, "reconciled");
            "done"
        }
        Err(error) => {
            tracing::warn!(cause = chain(&error), "can't reconcile");
            "failed"
        }
    };
    metrics::counter!("plumbline_reconciliations_total", "outcome" => outcome).increment(1);
}

fn count(discrepancy: &Discrepancy) {
    let kind = discrepancy.kind.as_str();
    metrics::counter!("plumbline_discrepancies_total", "kind" => kind).increment(1);
    tracing::warn!(kind, "{discrepancy}");
}
