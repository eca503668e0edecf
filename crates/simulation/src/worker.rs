//! A worker, one step at a time: between any two of these it can be killed. What it does is what
//! `order_worker::Saga` does.

use order_worker::{Command, Step};
use orders::Applied;

use crate::{
    action::{Mood, Process},
    diagram::Party,
    ledger::{Attempt, Settlement},
    message::OrderNumber,
    provider::{Called, IntentStatus},
    world::{Queued, World},
};

/// As in `order_worker::Saga`: after so many deliveries a missing answer is recorded as such.
const ATTEMPTS_UNTIL_UNKNOWN: u32 = 3;
/// As in `order_worker::payments`: seconds after which no earlier call is thought to be under way.
const CALLS_ARE_OVER: i64 = 30;

/// A message in a worker's hand, and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub queued: Queued,
    at: Progress,
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    Received,
    /// The order was read: this step is due.
    Due(Step),
    /// The attempt is committed, the provider is to be called.
    Charging(Attempt),
    Charged(Settlement),
    /// The order was taken back so many seconds ago: what became of its charge?
    InDoubt(Attempt, i64),
    /// This intent's money is to be given back.
    Refunding(usize),
    Refunded(usize),
    /// Only the acknowledgement is left.
    Committed,
}

impl Hand {
    pub(crate) const fn new(queued: Queued) -> Self {
        Self {
            queued,
            at: Progress::Received,
        }
    }
}

/// What comes of a step.
enum Next {
    Go(Progress),
    /// Back to the broker, to be tried again.
    Retry,
    Acknowledged,
}

impl World {
    pub(crate) fn work(&mut self, worker: usize, mood: Mood) -> bool {
        let Some(hand) = self.hands.get(worker).cloned().flatten() else {
            return false;
        };
        self.ledger.caller = Process::Worker(worker);
        let next = self.step(worker, &hand, mood);
        self.hands[worker] = match next {
            Next::Go(at) => Some(Hand { at, ..hand }),
            Next::Acknowledged => None,
            Next::Retry => {
                let attempt = hand.queued.attempt + 1;
                self.queue.push(Queued {
                    attempt,
                    ..hand.queued
                });
                None
            }
        };
        true
    }

    fn step(&mut self, worker: usize, hand: &Hand, mood: Mood) -> Next {
        let message = hand.queued.message;
        let (id, order) = (message.id, message.id.order);
        match hand.at {
            Progress::Received => match Command::asked_for_by(id.event_type) {
                None => Next::Go(Progress::Committed),
                Some(Command::Step(step)) => self.take_step(worker, hand, step),
                Some(Command::TakeUpOverdue) => {
                    match self.ledger.status(order).and_then(Step::due_in) {
                        Some(step) => Next::Go(Progress::Due(step)),
                        None => self.begin_refund(hand),
                    }
                }
                Some(Command::SettleNotice) => self.enquire(worker, message.intent, mood),
            },
            Progress::Due(step) => self.take_step(worker, hand, step),
            Progress::Charging(attempt) => self.charge(worker, hand, attempt, mood),
            Progress::InDoubt(attempt, waited) => {
                self.find_out(worker, order, attempt, waited, mood)
            }
            Progress::Charged(settlement) => self.settle(worker, hand, settlement),
            Progress::Refunding(intent) => {
                self.call(worker, format!("refund payment {intent}"), mood);
                match self.provider.refund(intent, mood) {
                    Called::Answered(()) => Next::Go(Progress::Refunded(intent)),
                    Called::Unknown | Called::Away => Next::Retry,
                }
            }
            Progress::Refunded(intent) => {
                let applied = self.ledger.settle_refund(id, order, intent);
                self.committed(worker, order, "settle refund", applied)
            }
            Progress::Committed => {
                let from = Party::Process(Process::Worker(worker));
                self.tell(from, Party::Broker, format!("acknowledge {id}"));
                Next::Acknowledged
            }
        }
    }

    fn take_step(&mut self, worker: usize, hand: &Hand, step: Step) -> Next {
        let (id, order) = (hand.queued.message.id, hand.queued.message.id.order);
        match step {
            Step::ReserveStock => {
                let applied = self.ledger.reserve_stock(id, order);
                self.committed(worker, order, "reserve stock", applied)
            }
            Step::Charge => match self.ledger.begin_charge(order) {
                Some(attempt) => {
                    self.wrote(Process::Worker(worker), order, "begin charge");
                    Next::Go(Progress::Charging(attempt))
                }
                None => self.acknowledge(hand),
            },
            Step::Confirm => {
                let applied = self.ledger.confirm(id, order);
                self.committed(worker, order, "confirm", applied)
            }
            Step::CancelUnpaid => {
                let applied = self.ledger.cancel_unpaid(id, order);
                self.committed(worker, order, "cancel unpaid", applied)
            }
            Step::Cancel => match self.ledger.charge_in_doubt(order) {
                Some((attempt, waited)) => Next::Go(Progress::InDoubt(attempt, waited)),
                None => {
                    let applied = self.ledger.cancel_unpaid(id, order);
                    self.committed(worker, order, "cancel", applied)
                }
            },
            Step::Refund => self.begin_refund(hand),
        }
    }

    fn charge(&mut self, worker: usize, hand: &Hand, attempt: Attempt, mood: Mood) -> Next {
        let order = hand.queued.message.id.order;
        let card = self.ledger.order(order).map(|row| row.card);
        let called = match (attempt.intent, card) {
            (Some(intent), _) => {
                self.call(worker, format!("retrieve payment {intent}"), mood);
                self.provider.retrieve(intent, mood)
            }
            (None, Some(card)) => {
                let told = format!("charge #{order} with key {}", attempt.key);
                self.call(worker, told, mood);
                self.provider.charge(order, attempt.key, card, mood)
            }
            (None, None) => Called::Away,
        };
        match called {
            Called::Answered((intent, status)) => {
                Next::Go(Progress::Charged(settlement(intent, status)))
            }
            Called::Unknown if hand.queued.attempt >= ATTEMPTS_UNTIL_UNKNOWN => {
                Next::Go(Progress::Charged(Settlement::Unknown))
            }
            Called::Unknown | Called::Away => Next::Retry,
        }
    }

    fn begin_refund(&mut self, hand: &Hand) -> Next {
        match self.ledger.open_refund(hand.queued.message.id.order) {
            Some(intent) => Next::Go(Progress::Refunding(intent)),
            None => self.acknowledge(hand),
        }
    }

    fn find_out(
        &mut self,
        worker: usize,
        order: OrderNumber,
        attempt: Attempt,
        waited: i64,
        mood: Mood,
    ) -> Next {
        self.call(worker, format!("find the payment of #{order}"), mood);
        let settled = match self.provider.find(order, attempt.intent, mood) {
            Called::Answered(Some((intent, status))) => settlement(intent, status),
            Called::Answered(None) if waited >= CALLS_ARE_OVER => {
                Settlement::Declined { intent: None }
            }
            Called::Answered(None) => Settlement::Unknown,
            Called::Unknown | Called::Away => return Next::Retry,
        };
        Next::Go(Progress::Charged(settled))
    }

    fn enquire(&mut self, worker: usize, intent: Option<usize>, mood: Mood) -> Next {
        let Some(intent) = intent else {
            return Next::Go(Progress::Committed);
        };
        self.call(worker, format!("retrieve payment {intent}"), mood);
        let is_given_back = self.ledger.has_refund_of(intent) && self.provider.has_refunded(intent);
        match self.provider.retrieve(intent, mood) {
            Called::Answered(_) if is_given_back => Next::Go(Progress::Refunded(intent)),
            Called::Answered((intent, status)) => {
                Next::Go(Progress::Charged(settlement(intent, status)))
            }
            Called::Unknown | Called::Away => Next::Retry,
        }
    }

    fn settle(&mut self, worker: usize, hand: &Hand, settlement: Settlement) -> Next {
        let (id, order) = (hand.queued.message.id, hand.queued.message.id.order);
        let applied = self.ledger.settle_charge(id, order, settlement);
        self.committed(worker, order, "settle charge", applied)
    }

    fn acknowledge(&mut self, hand: &Hand) -> Next {
        let _ = self.ledger.acknowledge(hand.queued.message.id);
        Next::Go(Progress::Committed)
    }

    fn committed(
        &mut self,
        worker: usize,
        order: OrderNumber,
        what: &str,
        applied: Applied,
    ) -> Next {
        match applied {
            Applied::Done => self.wrote(Process::Worker(worker), order, what),
            Applied::Duplicate => {
                self.wrote(Process::Worker(worker), order, &format!("{what} (again)"));
            }
            Applied::Stale => self.wrote(Process::Worker(worker), order, &format!("{what} (late)")),
        }
        Next::Go(Progress::Committed)
    }

    fn call(&mut self, worker: usize, what: String, mood: Mood) {
        let ending = match mood {
            Mood::Answers => "",
            Mood::TimesOut => " (the answer is lost)",
            Mood::IsAway => " (it is away)",
        };
        let from = Party::Process(Process::Worker(worker));
        self.tell(from, Party::Provider, format!("{what}{ending}"));
    }
}

const fn settlement(intent: usize, status: IntentStatus) -> Settlement {
    match status {
        IntentStatus::Succeeded => Settlement::Succeeded { intent },
        IntentStatus::Processing => Settlement::Processing { intent },
        IntentStatus::Declined => Settlement::Declined {
            intent: Some(intent),
        },
    }
}
