//! What the provider does, without HTTP: every operation is one [`Change`], written down before it
//! is answered.

mod refunds;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kernel::SharedClock;
use payment::IDEMPOTENCY_KEY_LIFETIME;
use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    Behaviour, TestToken,
    behaviour::take_one,
    http::ApiError,
    ledger::{Answer, Change, Event, FailedAttempt, Intent, IntentStatus, Ledger},
    state::{State, Storage, WebhookCounts},
    token::Refusal,
    webhooks::Job,
    wire,
};

pub(crate) struct Double {
    clock: SharedClock,
    sends_webhooks: bool,
    jobs: mpsc::Sender<Job>,
    state: Mutex<State>,
}

/// What every call that changes something brings along.
pub(crate) struct Call {
    pub idempotency_key: Option<String>,
    /// Method, path and parameters in canonical form: what the key stands for.
    pub request: String,
    pub traceparent: Option<String>,
}

pub(crate) struct NewIntent {
    pub amount: i64,
    pub currency: String,
    pub payment_method: TestToken,
    pub metadata: BTreeMap<String, String>,
}

pub(crate) struct Answered {
    pub status: u16,
    pub body: String,
    pub is_replay: bool,
    /// It was done, but the caller is not to hear of it.
    pub times_out: bool,
}

impl Double {
    pub fn new(
        clock: SharedClock,
        sends_webhooks: bool,
        behaviour: Behaviour,
        (storage, ledger): (Storage, Ledger),
        jobs: mpsc::Sender<Job>,
    ) -> Self {
        Self {
            clock,
            sends_webhooks,
            jobs,
            state: Mutex::new(State {
                ledger,
                storage,
                behaviour,
                webhooks: WebhookCounts::default(),
            }),
        }
    }

    pub fn create_intent(&self, call: Call, new: NewIntent) -> Result<Answered, ApiError> {
        let mut state = self.state();
        if let Some(answered) = self.replay(&state, &call)? {
            return Ok(answered);
        }
        let token = new.payment_method;
        if token == TestToken::ServerError {
            return Err(ApiError::failure(500));
        }
        let settling = match token.settles_later() {
            true => Some(
                self.jobs
                    .try_reserve()
                    .map_err(|_| ApiError::rate_limit())?,
            ),
            false => None,
        };
        let intent = self.new_intent(&call, new);
        let (event_type, status, body) = match intent.status {
            IntentStatus::Succeeded => ("payment_intent.succeeded", 200, wire::intent(&intent)),
            IntentStatus::Processing => ("payment_intent.processing", 200, wire::intent(&intent)),
            IntentStatus::RequiresPaymentMethod => (
                "payment_intent.payment_failed",
                402,
                wire::declined(&intent),
            ),
        };
        let mut answered = Answered::new(status, &body);
        answered.times_out = token == TestToken::TimeoutAfterCharge
            || (status == 200 && take_one(&mut state.behaviour.time_out_next));
        let intent_id = intent.id.clone();
        let object = wire::intent(&intent);
        let change = Change {
            answer: self.answer_to_keep(call, &answered),
            intent: Some(intent),
            ..Change::default()
        };
        self.commit_with_event(&mut state, change, Some(token), event_type, &object)?;
        if let Some(permit) = settling {
            permit.send(Job::Settle { intent_id });
        }
        Ok(answered)
    }

    /// Ends a `processing` intent as its token says.
    pub fn settle(&self, intent_id: &str) -> Result<(), ApiError> {
        let mut state = self.state();
        let Some(intent) = state.ledger.intent(intent_id) else {
            return Ok(());
        };
        if intent.status != IntentStatus::Processing {
            return Ok(());
        }
        let mut intent = intent.clone();
        let token = TestToken::parse(&intent.payment_method);
        let event_type = match token.and_then(TestToken::refusal) {
            Some(refusal) => {
                intent.status = IntentStatus::RequiresPaymentMethod;
                intent.failure = Some(refusal.into());
                "payment_intent.payment_failed"
            }
            None => {
                intent.status = IntentStatus::Succeeded;
                "payment_intent.succeeded"
            }
        };
        let object = wire::intent(&intent);
        let change = Change {
            intent: Some(intent),
            ..Change::default()
        };
        self.commit_with_event(&mut state, change, token, event_type, &object)
    }

    pub fn event_delivered(&self, event_id: &str) {
        self.state().webhooks.delivered += 1;
        self.close_event(event_id);
    }

    pub fn event_given_up(&self, event_id: &str) {
        self.state().webhooks.given_up += 1;
        self.close_event(event_id);
    }

    /// What a restart finds unfinished.
    pub fn unfinished(&self) -> Vec<Job> {
        let state = self.state();
        let settling = state
            .ledger
            .intents()
            .filter(|intent| intent.status == IntentStatus::Processing)
            .map(|intent| Job::Settle {
                intent_id: intent.id.clone(),
            });
        let refunding = state
            .ledger
            .intents()
            .filter(|intent| {
                intent
                    .refund
                    .as_ref()
                    .is_some_and(|refund| refund.ends.is_some())
            })
            .map(|intent| Job::SettleRefund {
                intent_id: intent.id.clone(),
            });
        let events = state.ledger.pending_events().cloned().map(Job::Deliver);
        settling.chain(refunding).chain(events).collect()
    }

    /// Reads the ledger.
    pub fn with_ledger<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        read(&self.state().ledger)
    }

    pub fn webhook_counts(&self) -> WebhookCounts {
        let state = self.state();
        WebhookCounts {
            pending: state.ledger.pending_events().len(),
            ..state.webhooks
        }
    }

    pub fn behaviour(&self) -> Behaviour {
        self.state().behaviour.clone()
    }

    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// The status with which the switches make the present call fail.
    pub fn take_failure(&self) -> Option<u16> {
        let behaviour = &mut self.state().behaviour;
        take_one(&mut behaviour.fail_next).then_some(behaviour.fail_status)
    }

    /// Lets go of the journal; whatever would change something fails from now on.
    pub fn close(&self) {
        self.state().storage = Storage::Closed;
    }

    fn replay(&self, state: &State, call: &Call) -> Result<Option<Answered>, ApiError> {
        let key = call.idempotency_key.as_deref();
        let Some(answer) = key.and_then(|key| state.ledger.answer(key)) else {
            return Ok(None);
        };
        let age = self.clock.now().timestamp() - answer.at;
        if age >= IDEMPOTENCY_KEY_LIFETIME.num_seconds() {
            return Ok(None);
        }
        if answer.request != call.request {
            return Err(ApiError::idempotency_mismatch());
        }
        Ok(Some(Answered {
            status: answer.status,
            body: answer.body.clone(),
            is_replay: true,
            times_out: false,
        }))
    }

    fn new_intent(&self, call: &Call, new: NewIntent) -> Intent {
        let token = new.payment_method;
        // A bank debit's refusal comes when it settles.
        let refusal = token.refusal().filter(|_| !token.settles_later());
        Intent {
            id: new_id("pi"),
            amount: new.amount,
            currency: new.currency,
            payment_method: token.as_str().to_owned(),
            metadata: new.metadata,
            created: self.clock.now().timestamp(),
            status: match refusal {
                Some(_) => IntentStatus::RequiresPaymentMethod,
                None if token.settles_later() => IntentStatus::Processing,
                None => IntentStatus::Succeeded,
            },
            failure: refusal.map(FailedAttempt::from),
            refund: None,
            failed_refunds: Vec::new(),
            idempotency_key: call.idempotency_key.clone(),
            traceparent: call.traceparent.clone(),
        }
    }

    fn answer_to_keep(&self, call: Call, answered: &Answered) -> Option<Answer> {
        Some(Answer {
            key: call.idempotency_key?,
            request: call.request,
            at: self.clock.now().timestamp(),
            status: answered.status,
            body: answered.body.clone(),
        })
    }

    fn commit_with_event(
        &self,
        state: &mut State,
        mut change: Change,
        token: Option<TestToken>,
        event_type: &str,
        object: &Value,
    ) -> Result<(), ApiError> {
        if !self.sends_webhooks {
            return state.commit(change).map_err(ApiError::storage);
        }
        let is_dropped = take_one(&mut state.behaviour.webhooks.drop_next)
            || token == Some(TestToken::WebhookDropped);
        // Full only when thousands of events go unanswered. Payments go on; the API still tells.
        let permit = self.jobs.try_reserve().ok().filter(|_| !is_dropped);
        let Some(permit) = permit else {
            state.webhooks.dropped += 1;
            return state.commit(change).map_err(ApiError::storage);
        };
        let event = self.new_event(&state.behaviour, token, event_type, object);
        change.event = Some(event.clone());
        state.commit(change).map_err(ApiError::storage)?;
        permit.send(Job::Deliver(event));
        Ok(())
    }

    fn new_event(
        &self,
        behaviour: &Behaviour,
        token: Option<TestToken>,
        event_type: &str,
        object: &Value,
    ) -> Event {
        let id = new_id("evt");
        let created = self.clock.now().timestamp();
        Event {
            body: wire::event(&id, event_type, created, object).to_string(),
            id,
            copies: match token {
                Some(TestToken::WebhookDuplicated) => behaviour.webhooks.copies.max(2),
                _ => behaviour.webhooks.copies,
            },
            delay_ms: match token {
                Some(TestToken::WebhookDelayed) => behaviour.webhooks.delay_ms.max(2_000),
                _ => behaviour.webhooks.delay_ms,
            },
        }
    }

    fn close_event(&self, event_id: &str) {
        let change = Change {
            closed_event: Some(event_id.to_owned()),
            ..Change::default()
        };
        if let Err(error) = self.state().commit(change) {
            // It stays pending, so a restart sends it once more: webhooks may repeat.
            tracing::warn!(event_id, %error, "the journal did not take the end of an event");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A change is applied whole or not at all, so a panic elsewhere leaves a sound ledger.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    fn new(status: u16, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string(),
            is_replay: false,
            times_out: false,
        }
    }
}

impl From<Refusal> for FailedAttempt {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code.to_owned(),
            decline_code: refusal.decline_code.map(str::to_owned),
            message: refusal.message.to_owned(),
        }
    }
}

fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::new_v4().simple())
}
