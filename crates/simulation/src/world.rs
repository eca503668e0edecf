use std::collections::BTreeSet;

use contracts::order_event::PAYMENT_NOTICE_RECEIVED;
use orders::domain::OrderStatus;

use crate::{
    action::{Action, Card, Mood, Process},
    diagram::{Line, Party},
    ledger::{Answer, Call, Guard, Ledger, STOCK, StockAndStatus},
    message::{Message, MessageId, OrderNumber},
    provider::{IntentStatus, Provider},
    worker::Hand,
};

/// A message that waits at the broker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued {
    pub message: Message,
    pub attempt: u32,
}

/// Everything there is.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) ledger: Ledger,
    pub(crate) provider: Provider,
    pub(crate) queue: Vec<Queued>,
    pub(crate) hands: Vec<Option<Hand>>,
    /// What the broker ever had.
    pub(crate) published: BTreeSet<MessageId>,
    known: Vec<Message>,
    pub(crate) story: Vec<Line>,
}

impl World {
    pub(crate) fn new(orders: usize, workers: usize, without: Option<Guard>) -> Self {
        Self {
            ledger: Ledger::new(orders, without),
            provider: Provider::default(),
            queue: Vec::new(),
            hands: vec![None; workers],
            published: BTreeSet::new(),
            known: Vec::new(),
            story: Vec::new(),
        }
    }

    /// What the use-cases were called for, what they answered, and what they left behind.
    #[must_use]
    pub fn calls(&self) -> &[(Call, Answer, StockAndStatus)] {
        &self.ledger.calls
    }

    fn order_of_intent(&self, intent: usize) -> Option<OrderNumber> {
        self.provider.intents.get(intent).map(|intent| intent.order)
    }

    /// Where an order stands. `None`: it was not placed.
    #[must_use]
    pub fn status(&self, order: OrderNumber) -> Option<OrderStatus> {
        self.ledger.status(order)
    }

    /// Everything that could happen now.
    pub(crate) fn possible(&self) -> Vec<Action> {
        let mut actions = self.possible_of_customers();
        actions.extend(
            self.ledger
                .waiting()
                .map(|message| message.id)
                .flat_map(|id| {
                    let mark = self.published.contains(&id).then_some(Action::Mark(id));
                    [Some(Action::Publish(id)), mark].into_iter().flatten()
                }),
        );
        for (worker, hand) in self.hands.iter().enumerate() {
            if hand.is_some() {
                let moods = [Mood::Answers, Mood::TimesOut, Mood::IsAway];
                actions.extend(moods.map(|mood| Action::Work { worker, mood }));
                actions.push(Action::Crash(Process::Worker(worker)));
            } else {
                let waiting = self.queue.iter().map(|queued| queued.message.id);
                actions.extend(waiting.map(|message| Action::Take { worker, message }));
            }
        }
        if self.ledger.lacks(Guard::Outbox) {
            actions.push(Action::Crash(Process::Gateway));
        }
        actions.extend(self.known.iter().map(|message| Action::Repeat(message.id)));
        let waiting = self.queue.iter().map(|queued| queued.message.id);
        actions.extend(waiting.map(Action::Lose));
        for (intent, _) in self.undecided() {
            actions.extend([true, false].map(|succeeds| Action::Decide { intent, succeeds }));
        }
        actions.extend((0..self.provider.webhooks.len()).map(Action::Webhook));
        actions.push(Action::Sweep);
        if self.unreconciled().is_some() {
            actions.push(Action::Reconcile);
        }
        actions
    }

    fn possible_of_customers(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for order in 0..self.ledger.orders.len() {
            match self.ledger.status(order) {
                Some(_) => actions.extend([Action::Cancel(order), Action::Refund(order)]),
                None => {
                    for card in [Card::Good, Card::Declined, Card::Slow] {
                        actions.extend((1..=STOCK).map(|quantity| Action::Place {
                            order,
                            quantity,
                            card,
                        }));
                    }
                }
            }
        }
        actions
    }

    pub(crate) fn undecided(&self) -> impl Iterator<Item = (usize, OrderNumber)> {
        let intents = self.provider.intents.iter().enumerate();
        intents
            .filter(|(_, intent)| intent.status == IntentStatus::Processing)
            .map(|(number, intent)| (number, intent.order))
    }

    /// Does it, if it can be done here; whether it could.
    pub(crate) fn execute(&mut self, action: Action) -> bool {
        match action {
            Action::Place {
                order,
                quantity,
                card,
            } => self.place(order, quantity, card),
            Action::Cancel(order) => self.change(order, "cancel", Ledger::cancel),
            Action::Refund(order) => self.change(order, "refund", Ledger::refund),
            Action::Publish(id) => self.publish(id),
            Action::Mark(id) => self.mark(id),
            Action::Take { worker, message } => self.take(worker, message),
            Action::Work { worker, mood } => self.work(worker, mood),
            Action::Crash(process) => self.crash(process),
            Action::Repeat(id) => self.repeat(id),
            Action::Lose(id) => self.lose(id),
            Action::Decide { intent, succeeds } => self.decide(intent, succeeds),
            Action::Webhook(webhook) => self.webhook(webhook),
            Action::Sweep => self.sweep(),
            Action::Reconcile => self.reconcile(),
        }
    }

    fn place(&mut self, order: OrderNumber, quantity: i64, card: Card) -> bool {
        if order >= self.ledger.orders.len() || self.ledger.status(order).is_some() {
            return false;
        }
        self.ledger.caller = Process::Gateway;
        let told = format!("place #{order}: {quantity} pieces, {card:?} card");
        self.tell(Party::Customer, Party::Process(Process::Gateway), told);
        self.ledger.place(order, quantity, card);
        self.wrote(Process::Gateway, order, "place");
        true
    }

    fn change(
        &mut self,
        order: OrderNumber,
        name: &str,
        change: impl FnOnce(&mut Ledger, OrderNumber) -> bool,
    ) -> bool {
        self.ledger.caller = Process::Gateway;
        if self.ledger.status(order).is_none() || !change(&mut self.ledger, order) {
            return false;
        }
        let gateway = Party::Process(Process::Gateway);
        self.tell(Party::Customer, gateway, format!("{name} #{order}"));
        self.wrote(Process::Gateway, order, name);
        true
    }

    fn publish(&mut self, id: MessageId) -> bool {
        let Some(message) = self.ledger.waiting().find(|message| message.id == id) else {
            return false;
        };
        self.queue.push(Queued {
            message,
            attempt: 1,
        });
        if self.published.insert(id) {
            self.known.push(message);
        }
        self.tell(Party::Database, Party::Broker, format!("publish {id}"));
        true
    }

    fn mark(&mut self, id: MessageId) -> bool {
        let waits = self.ledger.waiting().any(|message| message.id == id);
        if !waits || !self.published.contains(&id) {
            return false;
        }
        self.ledger.mark(id);
        true
    }

    fn take(&mut self, worker: usize, id: MessageId) -> bool {
        if self.hands.get(worker).is_none_or(Option::is_some) {
            return false;
        }
        let Some(place) = self.queue.iter().position(|queued| queued.message.id == id) else {
            return false;
        };
        let queued = self.queue.remove(place);
        self.hands[worker] = Some(Hand::new(queued));
        let to = Party::Process(Process::Worker(worker));
        self.tell(Party::Broker, to, format!("deliver {id}"));
        true
    }

    fn crash(&mut self, process: Process) -> bool {
        if let Process::Worker(worker) = process {
            let Some(hand) = self.hands.get_mut(worker).and_then(Option::take) else {
                return false;
            };
            let mut queued = hand.queued;
            queued.attempt += 1;
            self.queue.push(queued);
        }
        self.ledger.forget_unsent(process);
        self.note(Party::Process(process), "killed".to_owned());
        true
    }

    fn repeat(&mut self, id: MessageId) -> bool {
        let Some(message) = self.known.iter().copied().find(|known| known.id == id) else {
            return false;
        };
        self.queue.push(Queued {
            message,
            attempt: 1,
        });
        self.note(Party::Broker, format!("{id} comes again"));
        true
    }

    fn lose(&mut self, id: MessageId) -> bool {
        let Some(place) = self.queue.iter().position(|queued| queued.message.id == id) else {
            return false;
        };
        self.queue.remove(place);
        self.note(Party::Broker, format!("{id} is lost"));
        true
    }

    fn decide(&mut self, intent: usize, succeeds: bool) -> bool {
        if !self.provider.decide(intent, succeeds) {
            return false;
        }
        let outcome = if succeeds { "succeeds" } else { "fails" };
        self.note(Party::Provider, format!("payment {intent} {outcome}"));
        true
    }

    fn webhook(&mut self, webhook: usize) -> bool {
        let Some(intent) = self.provider.webhooks.get(webhook).copied() else {
            return false;
        };
        let Some(order) = self.order_of_intent(intent) else {
            return false;
        };
        self.ledger.caller = Process::Gateway;
        let gateway = Party::Process(Process::Gateway);
        self.tell(
            Party::Provider,
            gateway,
            format!("webhook: payment {intent}"),
        );
        if self.ledger.receive_notice(webhook, intent, order) {
            let told = format!("{PAYMENT_NOTICE_RECEIVED} #{order}");
            self.tell(gateway, Party::Database, told);
        }
        true
    }

    fn sweep(&mut self) -> bool {
        self.ledger.caller = Process::Worker(0);
        let taken_up = self.ledger.take_up_overdue();
        if taken_up > 0 {
            let told = format!("a deadline passes: {taken_up} taken up");
            self.note(Party::Database, told);
        }
        taken_up > 0
    }

    /// A payment that the provider has taken and that its order's books say nothing of.
    pub(crate) fn unreconciled(&self) -> Option<(usize, OrderNumber)> {
        let mut taken = self.provider.taken();
        taken.find(|(intent, order)| self.ledger.is_unknown(*order, *intent))
    }

    fn reconcile(&mut self) -> bool {
        self.ledger.caller = Process::Worker(0);
        let Some((intent, order)) = self.unreconciled() else {
            return false;
        };
        self.ledger.reconcile(order, intent);
        self.wrote(Process::Worker(0), order, "reconcile");
        true
    }

    /// Tells of a transaction of which the order's state is the result.
    pub(crate) fn wrote(&mut self, process: Process, order: OrderNumber, what: &str) {
        let status = self.ledger.status(order).map_or("?", OrderStatus::as_str);
        let told = format!("{what}: #{order} {status}");
        self.tell(Party::Process(process), Party::Database, told);
    }

    pub(crate) fn tell(&mut self, from: Party, to: Party, text: String) {
        let to = Some(to);
        self.story.push(Line { from, to, text });
    }

    pub(crate) fn note(&mut self, about: Party, text: String) {
        self.story.push(Line {
            from: about,
            to: None,
            text,
        });
    }
}
