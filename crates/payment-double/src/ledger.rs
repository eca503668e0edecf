//! What the provider knows, as a fold over [`Change`]s: the journal is the list of them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub id: String,
    pub amount: i64,
    /// Lower case, as on the wire.
    pub currency: String,
    pub payment_method: String,
    pub metadata: BTreeMap<String, String>,
    pub created: i64,
    pub status: IntentStatus,
    pub failure: Option<FailedAttempt>,
    /// The last one that was asked for.
    pub refund: Option<Refund>,
    /// Those before it, the oldest first: another is made only after one has failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_refunds: Vec<Refund>,
    pub idempotency_key: Option<String>,
    pub traceparent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    RequiresPaymentMethod,
    Processing,
    Succeeded,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FailedAttempt {
    pub code: String,
    pub decline_code: Option<String>,
    pub message: String,
}

/// Of all that its intent received: the double knows no partial refunds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub id: String,
    pub created: i64,
    #[serde(default)]
    pub status: RefundStatus,
    /// What becomes of it, if that is not settled yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<RefundStatus>,
    pub idempotency_key: Option<String>,
    pub traceparent: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Pending,
    #[default]
    Succeeded,
    Failed,
}

impl Intent {
    /// The newest first.
    pub fn refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refund.iter().chain(self.failed_refunds.iter().rev())
    }
}

/// What an idempotency key was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub key: String,
    /// The request that the key belongs to, in canonical form.
    pub request: String,
    pub at: i64,
    pub status: u16,
    pub body: String,
}

/// A webhook to send. Its body is made once, so that every attempt carries the same bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    pub body: String,
    pub copies: u8,
    pub delay_ms: u32,
}

/// One line of the journal: what changes together. Each part replaces what had its id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// The id of an event that was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_event: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    max_intents: usize,
    /// By number, in the order in which they were made.
    intents: BTreeMap<u64, Intent>,
    intent_numbers: HashMap<String, u64>,
    answers: HashMap<String, Answer>,
    /// By number, in the order in which they were made.
    pending_events: BTreeMap<u64, Event>,
    event_numbers: HashMap<String, u64>,
    last_number: u64,
}

impl Ledger {
    pub fn new(max_intents: usize) -> Self {
        Self {
            max_intents,
            intents: BTreeMap::new(),
            intent_numbers: HashMap::new(),
            answers: HashMap::new(),
            pending_events: BTreeMap::new(),
            event_numbers: HashMap::new(),
            last_number: 0,
        }
    }

    pub fn apply(&mut self, change: Change) {
        let Change {
            intent,
            answer,
            event,
            closed_event,
        } = change;
        if let Some(intent) = intent {
            self.put_intent(intent);
        }
        if let Some(answer) = answer {
            self.answers.insert(answer.key.clone(), answer);
        }
        if let Some(event) = event {
            let number = self.number();
            self.event_numbers.insert(event.id.clone(), number);
            self.pending_events.insert(number, event);
        }
        if let Some(number) = closed_event.and_then(|id| self.event_numbers.remove(&id)) {
            self.pending_events.remove(&number);
        }
        if self.intents.len() > self.max_intents {
            self.forget_oldest();
        }
    }

    pub fn intent(&self, id: &str) -> Option<&Intent> {
        self.intents.get(self.intent_numbers.get(id)?)
    }

    /// Newest first.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values().rev()
    }

    /// Newest first, those made before the one with the id `before`; `None` if there is no such one.
    pub fn intents_before(&self, before: &str) -> Option<impl Iterator<Item = &Intent>> {
        let number = *self.intent_numbers.get(before)?;
        Some(self.intents.range(..number).rev().map(|(_, intent)| intent))
    }

    pub fn answer(&self, key: &str) -> Option<&Answer> {
        self.answers.get(key)
    }

    /// Oldest first.
    pub fn pending_events(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.pending_events.values()
    }

    /// The changes that make this ledger out of an empty one.
    pub fn snapshot(&self) -> impl Iterator<Item = Change> {
        let intents = self.intents.values().flat_map(|intent| {
            let answer = |key: &Option<String>| self.answers.get(key.as_ref()?).cloned();
            let charged = Change {
                intent: Some(intent.clone()),
                answer: answer(&intent.idempotency_key),
                ..Change::default()
            };
            let answers = intent
                .refunds()
                .filter_map(move |refund| answer(&refund.idempotency_key));
            let refunded = answers.map(|answer| Change {
                answer: Some(answer),
                ..Change::default()
            });
            std::iter::once(charged).chain(refunded)
        });
        let events = self.pending_events.values().map(|event| Change {
            event: Some(event.clone()),
            ..Change::default()
        });
        intents.chain(events)
    }

    /// At most how many changes [`snapshot`](Self::snapshot) has.
    pub fn snapshot_len(&self) -> usize {
        let of_intents = self
            .intents
            .values()
            .map(|intent| 1 + intent.refunds().count());
        of_intents.sum::<usize>() + self.pending_events.len()
    }

    fn put_intent(&mut self, intent: Intent) {
        let number = match self.intent_numbers.get(&intent.id) {
            Some(number) => *number,
            None => self.number(),
        };
        self.intent_numbers.insert(intent.id.clone(), number);
        self.intents.insert(number, intent);
    }

    fn forget_oldest(&mut self) {
        let Some((_, intent)) = self.intents.pop_first() else {
            return;
        };
        self.intent_numbers.remove(&intent.id);
        let refunds = intent.refunds().map(|refund| &refund.idempotency_key);
        for key in std::iter::once(&intent.idempotency_key)
            .chain(refunds)
            .flatten()
        {
            self.answers.remove(key);
        }
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}
