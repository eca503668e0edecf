//! The payment provider: it answers a repeated call with the first answer, and gives back no more
//! than it took.

use std::collections::BTreeMap;

use crate::{
    action::{Card, Mood},
    message::OrderNumber,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntentStatus {
    Processing,
    Succeeded,
    Declined,
}

#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub order: OrderNumber,
    pub status: IntentStatus,
    pub refunded: bool,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called<T> {
    Answered(T),
    /// It may or may not have been done.
    Unknown,
    /// It was not done.
    Away,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Provider {
    pub intents: Vec<Intent>,
    /// The first answer to each idempotency key.
    answers: BTreeMap<usize, (usize, IntentStatus)>,
    /// The intent that each webhook is about. It is sent until the end, perhaps never, perhaps
    /// more than once.
    pub webhooks: Vec<usize>,
}

impl Provider {
    /// Takes the order's money, or not, as its card says.
    pub(crate) fn charge(
        &mut self,
        order: OrderNumber,
        key: usize,
        card: Card,
        mood: Mood,
    ) -> Called<(usize, IntentStatus)> {
        if mood == Mood::IsAway {
            return Called::Away;
        }
        let answer = match self.answers.get(&key) {
            Some(answer) => *answer,
            None => {
                let status = match card {
                    Card::Good => IntentStatus::Succeeded,
                    Card::Declined => IntentStatus::Declined,
                    Card::Slow => IntentStatus::Processing,
                };
                let intent = self.intents.len();
                self.intents.push(Intent {
                    order,
                    status,
                    refunded: false,
                });
                if status != IntentStatus::Processing {
                    self.webhooks.push(intent);
                }
                self.answers.insert(key, (intent, status));
                (intent, status)
            }
        };
        answered(answer, mood)
    }

    pub(crate) fn retrieve(&self, intent: usize, mood: Mood) -> Called<(usize, IntentStatus)> {
        match (mood, self.intents.get(intent)) {
            (Mood::Answers, Some(found)) => Called::Answered((intent, found.status)),
            _ => Called::Away,
        }
    }

    /// What the books have of an order's payment.
    pub(crate) fn find(
        &self,
        order: OrderNumber,
        intent: Option<usize>,
        mood: Mood,
    ) -> Called<Option<(usize, IntentStatus)>> {
        if mood != Mood::Answers {
            return Called::Away;
        }
        let mut intents = self.intents.iter().enumerate();
        let found = intents
            .rfind(|(number, made)| intent.map_or(made.order == order, |intent| intent == *number));
        Called::Answered(found.map(|(number, made)| (number, made.status)))
    }

    pub(crate) fn has_refunded(&self, intent: usize) -> bool {
        self.intents
            .get(intent)
            .is_some_and(|intent| intent.refunded)
    }

    /// What it has taken, whether given back or not.
    pub(crate) fn taken(&self) -> impl Iterator<Item = (usize, OrderNumber)> {
        let intents = self.intents.iter().enumerate();
        intents
            .filter(|(_, intent)| intent.status == IntentStatus::Succeeded)
            .map(|(number, intent)| (number, intent.order))
    }

    /// Gives the money back, once.
    pub(crate) fn refund(&mut self, intent: usize, mood: Mood) -> Called<()> {
        if mood == Mood::IsAway {
            return Called::Away;
        }
        if let Some(intent) = self.intents.get_mut(intent) {
            intent.refunded = true;
        }
        answered((), mood)
    }

    /// Whether the intent was still open.
    pub(crate) fn decide(&mut self, intent: usize, succeeds: bool) -> bool {
        let Some(open) = self
            .intents
            .get_mut(intent)
            .filter(|intent| intent.status == IntentStatus::Processing)
        else {
            return false;
        };
        open.status = if succeeds {
            IntentStatus::Succeeded
        } else {
            IntentStatus::Declined
        };
        self.webhooks.push(intent);
        true
    }

    pub(crate) fn charges_of(&self, order: OrderNumber) -> impl Iterator<Item = &Intent> {
        let of_order = move |intent: &&Intent| {
            intent.order == order && intent.status == IntentStatus::Succeeded
        };
        self.intents.iter().filter(of_order)
    }
}

fn answered<T>(answer: T, mood: Mood) -> Called<T> {
    match mood {
        Mood::Answers => Called::Answered(answer),
        Mood::TimesOut => Called::Unknown,
        Mood::IsAway => Called::Away,
    }
}
