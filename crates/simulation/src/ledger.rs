//! The ordering database: each public function is one transaction of the use-case of the same name
//! in crate `orders`, told in memory. The test `conformance` holds the two together.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{order_event::PAYMENT_NOTICE_RECEIVED, saga_event::STEP_OVERDUE};
use kernel::{Currency, Money};
use orders::{
    Applied, PaymentStatus,
    domain::{self as judged, OrderStatus, Verdict, judge},
};

use crate::{
    action::{Card, Process},
    message::{Message, MessageId, OrderNumber},
};

/// What is in stock of the one product at the beginning.
pub(crate) const STOCK: i64 = 3;
/// Seconds until an order that was taken up is overdue again.
const NEXT_LOOK: i64 = 60;

/// A safeguard that can be taken away, to see that the simulation misses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Guard {
    /// A transition is allowed only from the states that the machine names.
    State,
    /// A message is applied once.
    Inbox,
    /// Stock is taken only if there is enough.
    Stock,
    /// A repeated call to the provider carries the same key.
    IdempotencyKey,
    /// An event is committed with what it tells of.
    Outbox,
    /// An order that stands still is taken up again.
    Deadlines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
}

/// What the provider answered, as it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    Succeeded {
        intent: usize,
    },
    Processing {
        intent: usize,
    },
    /// `None`: the provider has no such payment.
    Declined {
        intent: Option<usize>,
    },
    Unknown,
}

/// A use-case that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Place(OrderNumber, i64),
    Cancel(OrderNumber),
    Refund(OrderNumber),
    ReserveStock(MessageId, OrderNumber),
    BeginCharge(OrderNumber),
    ChargeInDoubt(OrderNumber),
    SettleCharge(MessageId, OrderNumber, Settlement),
    Confirm(MessageId, OrderNumber),
    CancelUnpaid(MessageId, OrderNumber),
    OpenRefund(OrderNumber),
    /// Of this payment.
    SettleRefund(MessageId, OrderNumber, usize),
    Acknowledge(MessageId),
    Mark(MessageId),
    /// After so many seconds since the beginning.
    TakeUpOverdue(i64),
}

/// What it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Applied(Applied),
    /// Whether there was anything to do.
    Found(bool),
    /// How many orders were taken up.
    TakenUp(usize),
}

/// What a call left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockAndStatus {
    pub stock: Counters,
    /// By number; `None` for an order that was not placed yet.
    pub orders: Vec<Option<OrderStatus>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reservation {
    Reserved,
    Sold,
    Released,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Succeeded,
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// The idempotency key.
    pub key: usize,
    pub standing: Standing,
    pub intent: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct OrderRow {
    pub status: OrderStatus,
    pub history: Vec<OrderStatus>,
    pub quantity: i64,
    pub card: Card,
    pub reservation: Option<Reservation>,
    pub attempt: Option<Attempt>,
    /// When it came into its state.
    since: i64,
    deadline: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct OutboxRow {
    message: Message,
    marked: bool,
    /// Who wrote it, and still has it in memory if there is no outbox.
    writer: Process,
}

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub orders: Vec<Option<OrderRow>>,
    pub stock: Counters,
    /// How often each message took effect.
    pub effects: BTreeMap<MessageId, usize>,
    pub calls: Vec<(Call, Answer, StockAndStatus)>,
    /// Who calls.
    pub caller: Process,
    without: Option<Guard>,
    now: i64,
    inbox: BTreeSet<MessageId>,
    outbox: Vec<OutboxRow>,
    notices: BTreeSet<usize>,
    /// By payment.
    refunds: BTreeMap<usize, (OrderNumber, Standing)>,
    keys: usize,
    reconciled: usize,
}

impl Ledger {
    pub(crate) fn new(orders: usize, without: Option<Guard>) -> Self {
        Self {
            orders: vec![None; orders],
            stock: Counters {
                available: STOCK,
                reserved: 0,
                sold: 0,
            },
            effects: BTreeMap::new(),
            calls: Vec::new(),
            caller: Process::Gateway,
            without,
            now: 0,
            inbox: BTreeSet::new(),
            outbox: Vec::new(),
            notices: BTreeSet::new(),
            refunds: BTreeMap::new(),
            keys: 0,
            reconciled: 0,
        }
    }

    pub(crate) fn order(&self, order: OrderNumber) -> Option<&OrderRow> {
        self.orders.get(order)?.as_ref()
    }

    pub(crate) fn status(&self, order: OrderNumber) -> Option<OrderStatus> {
        self.order(order).map(|row| row.status)
    }

    pub(crate) fn place(&mut self, order: OrderNumber, quantity: i64, card: Card) {
        let status = OrderStatus::Placed;
        if let Some(place) = self.orders.get_mut(order) {
            *place = Some(OrderRow {
                status,
                history: Vec::new(),
                quantity,
                card,
                reservation: None,
                attempt: None,
                since: 0,
                deadline: None,
            });
        }
        self.enter(order, status);
        self.called(Call::Place(order, quantity), Answer::Found(true));
    }

    pub(crate) fn cancel(&mut self, order: OrderNumber) -> bool {
        let found = self.advance(order, OrderStatus::CancelRequested);
        self.called(Call::Cancel(order), Answer::Found(found));
        found
    }

    pub(crate) fn refund(&mut self, order: OrderNumber) -> bool {
        let paid = [
            OrderStatus::Paid,
            OrderStatus::Confirmed,
            OrderStatus::RefundFailed,
        ];
        let found = self.advance_from(order, &paid, OrderStatus::Refunding);
        let attempt = self.order(order).and_then(|row| row.attempt);
        if found && let Some(intent) = attempt.and_then(|attempt| attempt.intent) {
            self.open_refund_for(order, intent);
        }
        self.called(Call::Refund(order), Answer::Found(found));
        found
    }

    pub(crate) fn reserve_stock(&mut self, message: MessageId, order: OrderNumber) -> Applied {
        let applied = self.apply(message, |ledger| {
            let quantity = ledger.order(order).map_or(0, |row| row.quantity);
            if ledger.stock.available < quantity && !ledger.lacks(Guard::Stock) {
                return ledger.advance(order, OrderStatus::Rejected);
            }
            if !ledger.advance(order, OrderStatus::StockReserved) {
                return false;
            }
            ledger.stock.available -= quantity;
            ledger.stock.reserved += quantity;
            if let Some(row) = ledger.row(order) {
                row.reservation = Some(Reservation::Reserved);
            }
            true
        });
        self.called(Call::ReserveStock(message, order), Answer::Applied(applied));
        applied
    }

    /// The attempt that is open now. `None`: there is nothing to charge.
    pub(crate) fn begin_charge(&mut self, order: OrderNumber) -> Option<Attempt> {
        if self.advance(order, OrderStatus::PaymentPending) {
            let key = self.keys;
            self.keys += 1;
            if let Some(row) = self.row(order) {
                row.attempt = Some(Attempt {
                    key,
                    standing: Standing::Open,
                    intent: None,
                });
            }
        }
        let open = self.open_charge(order);
        self.called(Call::BeginCharge(order), Answer::Found(open.is_some()));
        open
    }

    fn open_charge(&mut self, order: OrderNumber) -> Option<Attempt> {
        let row = self.order(order)?;
        let mut open = row
            .attempt
            .filter(|attempt| attempt.standing == Standing::Open)?;
        let waits = [OrderStatus::PaymentPending, OrderStatus::PaymentUnknown];
        if !waits.contains(&row.status) {
            return None;
        }
        if self.lacks(Guard::IdempotencyKey) {
            open.key = self.keys;
            self.keys += 1;
        }
        Some(open)
    }

    pub(crate) fn settle_charge(
        &mut self,
        message: MessageId,
        order: OrderNumber,
        settlement: Settlement,
    ) -> Applied {
        let applied = self.apply(message, |ledger| match settlement {
            Settlement::Succeeded { intent } => ledger.charged(order, intent),
            Settlement::Processing { intent } => {
                ledger.update_open(order, Standing::Open, Some(intent))
            }
            Settlement::Declined { intent } => ledger.declined(order, intent),
            Settlement::Unknown => ledger.advance(order, OrderStatus::PaymentUnknown),
        });
        let call = Call::SettleCharge(message, order, settlement);
        self.called(call, Answer::Applied(applied));
        applied
    }

    /// As `orders::domain::judge` says of the payment.
    fn charged(&mut self, order: OrderNumber, intent: usize) -> bool {
        match self.verdict(order, intent) {
            Verdict::Known | Verdict::Early => return false,
            Verdict::Stray | Verdict::WrongAmount => {
                let is_new = self.open_refund_for(order, intent);
                if is_new {
                    self.append(order, STEP_OVERDUE, None);
                }
                return is_new;
            }
            Verdict::Pays | Verdict::TooLate => {}
        }
        if let Some(attempt) = self.row(order).and_then(|row| row.attempt.as_mut()) {
            attempt.standing = Standing::Succeeded;
            attempt.intent = Some(intent);
        }
        if self.advance(order, OrderStatus::Paid) {
            return true;
        }
        let unwanted = [
            OrderStatus::CancelRequested,
            OrderStatus::PaymentFailed,
            OrderStatus::Cancelled,
        ];
        let moved = self.advance_from(order, &unwanted, OrderStatus::Refunding);
        self.open_refund_for(order, intent);
        moved
    }

    fn verdict(&self, order: OrderNumber, intent: usize) -> Verdict {
        let Some(row) = self.order(order) else {
            return Verdict::Early;
        };
        let price = Money::new(row.quantity, Currency::EUR);
        let attempt = row.attempt.map(|attempt| judged::Attempt {
            status: match attempt.standing {
                Standing::Open => PaymentStatus::Pending,
                Standing::Succeeded => PaymentStatus::Succeeded,
                Standing::Failed => PaymentStatus::Declined,
            },
            intent_id: attempt.intent.map(|intent| intent.to_string()),
            amount: price,
        });
        judge(row.status, attempt.as_ref(), &intent.to_string(), price)
    }

    fn declined(&mut self, order: OrderNumber, intent: Option<usize>) -> bool {
        if !self.update_open(order, Standing::Failed, intent) {
            return false;
        }
        if !self.advance(order, OrderStatus::PaymentFailed) {
            let taken_back = [OrderStatus::CancelRequested];
            if self.advance_from(order, &taken_back, OrderStatus::Cancelled) {
                self.settle_stock(order, Reservation::Released);
            }
        }
        true
    }

    /// Whether the order's books lack something of this payment, which the provider has taken.
    pub(crate) fn is_unknown(&self, order: OrderNumber, intent: usize) -> bool {
        let verdict = self.verdict(order, intent);
        let is_to_do = !matches!(verdict, Verdict::Known | Verdict::Early);
        is_to_do && !self.refunds.contains_key(&intent)
    }

    /// What the reconciliation does about such a payment.
    pub(crate) fn reconcile(&mut self, order: OrderNumber, intent: usize) {
        let message = MessageId {
            order,
            event_type: "reconcile",
            nth: self.reconciled,
        };
        self.reconciled += 1;
        let _ = self.settle_charge(message, order, Settlement::Succeeded { intent });
    }

    /// The attempt of an order that was taken back, and the seconds since.
    pub(crate) fn charge_in_doubt(&mut self, order: OrderNumber) -> Option<(Attempt, i64)> {
        let row = self.order(order);
        let taken_back = row.filter(|row| row.status == OrderStatus::CancelRequested);
        let doubt = taken_back.and_then(|row| {
            let open = row.attempt?;
            (open.standing == Standing::Open).then_some((open, self.now - row.since))
        });
        let found = Answer::Found(doubt.is_some());
        self.called(Call::ChargeInDoubt(order), found);
        doubt
    }

    pub(crate) fn confirm(&mut self, message: MessageId, order: OrderNumber) -> Applied {
        let applied = self.apply(message, |ledger| {
            let confirmed = ledger.advance(order, OrderStatus::Confirmed);
            if confirmed {
                ledger.settle_stock(order, Reservation::Sold);
            }
            confirmed
        });
        self.called(Call::Confirm(message, order), Answer::Applied(applied));
        applied
    }

    pub(crate) fn cancel_unpaid(&mut self, message: MessageId, order: OrderNumber) -> Applied {
        let applied = self.apply(message, |ledger| {
            let cancelled = ledger.advance(order, OrderStatus::Cancelled);
            if cancelled {
                ledger.settle_stock(order, Reservation::Released);
            }
            cancelled
        });
        self.called(Call::CancelUnpaid(message, order), Answer::Applied(applied));
        applied
    }

    /// The intent whose money is to be given back.
    pub(crate) fn open_refund(&mut self, order: OrderNumber) -> Option<usize> {
        let mut refunds = self.refunds.iter();
        let open = refunds.find(|(_, refund)| **refund == (order, Standing::Open));
        let intent = open.map(|(intent, _)| *intent);
        self.called(Call::OpenRefund(order), Answer::Found(intent.is_some()));
        intent
    }

    /// Whether this payment's money is to be given back, or was.
    pub(crate) fn has_refund_of(&self, intent: usize) -> bool {
        self.refunds.contains_key(&intent)
    }

    pub(crate) fn settle_refund(
        &mut self,
        message: MessageId,
        order: OrderNumber,
        intent: usize,
    ) -> Applied {
        let applied = self.apply(message, |ledger| {
            let refund = ledger.refunds.get_mut(&intent);
            let Some((_, standing @ Standing::Open)) = refund else {
                return false;
            };
            *standing = Standing::Succeeded;
            let attempt = ledger.order(order).and_then(|row| row.attempt);
            let is_own = attempt.is_some_and(|attempt| {
                attempt.standing == Standing::Succeeded && attempt.intent == Some(intent)
            });
            if is_own && ledger.advance(order, OrderStatus::Refunded) {
                ledger.take_stock_back(order);
            }
            true
        });
        let call = Call::SettleRefund(message, order, intent);
        self.called(call, Answer::Applied(applied));
        applied
    }

    pub(crate) fn acknowledge(&mut self, message: MessageId) -> Applied {
        let applied = self.apply(message, |_| false);
        self.called(Call::Acknowledge(message), Answer::Applied(applied));
        applied
    }

    /// Stores a webhook once; whether it is new.
    pub(crate) fn receive_notice(
        &mut self,
        webhook: usize,
        intent: usize,
        order: OrderNumber,
    ) -> bool {
        let is_new = self.notices.insert(webhook);
        if is_new {
            self.append(order, PAYMENT_NOTICE_RECEIVED, Some(intent));
        }
        is_new
    }

    /// Moves the clock to the next deadline and takes up what is past its own.
    pub(crate) fn take_up_overdue(&mut self) -> usize {
        let deadlines = self.orders.iter().flatten().filter_map(|row| row.deadline);
        self.now = deadlines.min().map_or(self.now, |next| next.max(self.now));
        let overdue: Vec<_> = (0..self.orders.len())
            .filter(|order| self.is_overdue(*order))
            .collect();
        for order in &overdue {
            let next_look = self.now + NEXT_LOOK;
            if let Some(row) = self.row(*order) {
                row.deadline = Some(next_look);
            }
            self.append(*order, STEP_OVERDUE, None);
        }
        let call = Call::TakeUpOverdue(self.now);
        self.called(call, Answer::TakenUp(overdue.len()));
        overdue.len()
    }

    fn is_overdue(&self, order: OrderNumber) -> bool {
        let row = self.order(order);
        let deadline = row.and_then(|row| row.deadline);
        !self.lacks(Guard::Deadlines)
            && deadline.is_some_and(|deadline| deadline <= self.now)
            && !self.outbox.iter().any(|row| {
                !row.marked && row.message.intent.is_none() && row.message.id.order == order
            })
    }

    /// What the relay has not marked yet.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Message> {
        let waiting = self.outbox.iter().filter(|row| !row.marked);
        waiting.map(|row| row.message)
    }

    pub(crate) fn mark(&mut self, message: MessageId) {
        for row in &mut self.outbox {
            row.marked |= row.message.id == message;
        }
        self.called(Call::Mark(message), Answer::Found(true));
    }

    /// Without an outbox, what a process has not sent dies with it.
    pub(crate) fn forget_unsent(&mut self, process: Process) {
        if self.lacks(Guard::Outbox) {
            self.outbox
                .retain(|row| row.marked || row.writer != process);
        }
    }

    /// One transaction with a receipt.
    fn apply(&mut self, message: MessageId, effect: impl FnOnce(&mut Self) -> bool) -> Applied {
        if !self.inbox.insert(message) && !self.lacks(Guard::Inbox) {
            return Applied::Duplicate;
        }
        if !effect(self) {
            return Applied::Stale;
        }
        *self.effects.entry(message).or_default() += 1;
        Applied::Done
    }

    /// As `orders::advance`: the machine decides, and the event is part of it.
    fn advance(&mut self, order: OrderNumber, to: OrderStatus) -> bool {
        self.advance_from(order, &OrderStatus::ALL, to)
    }

    fn advance_from(
        &mut self,
        order: OrderNumber,
        allowed: &[OrderStatus],
        to: OrderStatus,
    ) -> bool {
        let Some(from) = self.status(order) else {
            return false;
        };
        let may = from.successors().contains(&to) && allowed.contains(&from);
        if !may && !self.lacks(Guard::State) {
            return false;
        }
        self.enter(order, to);
        true
    }

    /// Whether it is new.
    fn open_refund_for(&mut self, order: OrderNumber, intent: usize) -> bool {
        let is_new = !self.refunds.contains_key(&intent);
        if is_new {
            self.refunds.insert(intent, (order, Standing::Open));
        }
        is_new
    }

    fn enter(&mut self, order: OrderNumber, to: OrderStatus) {
        let now = self.now;
        if let Some(row) = self.row(order) {
            row.status = to;
            row.history.push(to);
            row.since = now;
            row.deadline = to.deadline().map(|wait| now + wait.num_seconds());
        }
        self.append(order, to.event_type().as_str(), None);
    }

    fn append(&mut self, order: OrderNumber, event_type: &'static str, intent: Option<usize>) {
        let alike = |row: &&OutboxRow| {
            row.message.id.order == order && row.message.id.event_type == event_type
        };
        let id = MessageId {
            order,
            event_type,
            nth: self.outbox.iter().filter(alike).count(),
        };
        self.outbox.push(OutboxRow {
            message: Message { id, intent },
            marked: false,
            writer: self.caller,
        });
    }

    /// Whether there was an open attempt, of which this intent is or may be.
    fn update_open(
        &mut self,
        order: OrderNumber,
        standing: Standing,
        intent: Option<usize>,
    ) -> bool {
        let attempt = self.row(order).and_then(|row| row.attempt.as_mut());
        let is_its_own =
            |open: &Attempt| intent.is_none() || open.intent.is_none() || open.intent == intent;
        let open = attempt.filter(|attempt| attempt.standing == Standing::Open);
        let Some(open) = open.filter(|open| is_its_own(open)) else {
            return false;
        };
        open.standing = standing;
        open.intent = intent.or(open.intent);
        true
    }

    fn settle_stock(&mut self, order: OrderNumber, to: Reservation) {
        let Some(row) = self.row(order) else { return };
        if row.reservation != Some(Reservation::Reserved) {
            return;
        }
        row.reservation = Some(to);
        let quantity = row.quantity;
        self.stock.reserved -= quantity;
        match to {
            Reservation::Sold => self.stock.sold += quantity,
            Reservation::Released | Reservation::Reserved => self.stock.available += quantity,
        }
    }

    fn take_stock_back(&mut self, order: OrderNumber) {
        let Some(row) = self.row(order) else { return };
        let (from, quantity) = (row.reservation, row.quantity);
        row.reservation = Some(Reservation::Released);
        match from {
            Some(Reservation::Reserved) => self.stock.reserved -= quantity,
            Some(Reservation::Sold) => self.stock.sold -= quantity,
            Some(Reservation::Released) | None => return,
        }
        self.stock.available += quantity;
    }

    fn row(&mut self, order: OrderNumber) -> Option<&mut OrderRow> {
        self.orders.get_mut(order)?.as_mut()
    }

    pub(crate) fn lacks(&self, guard: Guard) -> bool {
        self.without == Some(guard)
    }

    fn called(&mut self, call: Call, answer: Answer) {
        let statuses = self.orders.iter();
        let left = StockAndStatus {
            stock: self.stock,
            orders: statuses
                .map(|row| row.as_ref().map(|row| row.status))
                .collect(),
        };
        self.calls.push((call, answer, left));
    }
}
