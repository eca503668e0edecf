//! Giving money back, and what may become of that.

use super::{Answered, Call, Double, new_id};
use crate::{
    Behaviour, TestToken,
    behaviour::take_one,
    http::ApiError,
    ledger::{Change, IntentStatus, Refund, RefundStatus},
    webhooks::Job,
    wire,
};

impl Double {
    pub fn create_refund(&self, call: Call, intent_id: &str) -> Result<Answered, ApiError> {
        let mut state = self.state();
        if let Some(answered) = self.replay(&state, &call)? {
            return Ok(answered);
        }
        let Some(intent) = state.ledger.intent(intent_id) else {
            return Err(ApiError::missing("payment_intent", intent_id));
        };
        if intent.status != IntentStatus::Succeeded {
            return Err(ApiError::not_charged(intent_id));
        }
        let has_failed = |refund: &Refund| refund.status == RefundStatus::Failed;
        if !intent.refund.as_ref().is_none_or(has_failed) {
            return Err(ApiError::already_refunded());
        }
        let mut intent = intent.clone();
        if take_one(&mut state.behaviour.refunds.refuse_next) {
            return Err(ApiError::disputed());
        }
        let token = TestToken::parse(&intent.payment_method);
        let (status, ends) = course(&mut state.behaviour, token);
        let settling = match ends {
            Some(_) => Some(
                self.jobs
                    .try_reserve()
                    .map_err(|_| ApiError::rate_limit())?,
            ),
            None => None,
        };
        let refund = Refund {
            id: new_id("re"),
            created: self.clock.now().timestamp(),
            status,
            ends,
            idempotency_key: call.idempotency_key.clone(),
            traceparent: call.traceparent.clone(),
        };
        let object = wire::refund(&intent, &refund);
        let earlier = intent.refund.replace(refund);
        intent.failed_refunds.extend(earlier);
        let mut answered = Answered::new(200, &object);
        answered.times_out = take_one(&mut state.behaviour.time_out_next);
        let change = Change {
            answer: self.answer_to_keep(call, &answered),
            intent: Some(intent),
            ..Change::default()
        };
        self.commit_with_event(&mut state, change, None, "refund.created", &object)?;
        if let Some(permit) = settling {
            permit.send(Job::SettleRefund {
                intent_id: intent_id.to_owned(),
            });
        }
        Ok(answered)
    }

    /// Ends a refund as was decided when it was made.
    pub fn settle_refund(&self, intent_id: &str) -> Result<(), ApiError> {
        let mut state = self.state();
        let Some(intent) = state.ledger.intent(intent_id) else {
            return Ok(());
        };
        let mut intent = intent.clone();
        let Some(mut refund) = intent.refund.take() else {
            return Ok(());
        };
        let Some(end) = refund.ends.take() else {
            return Ok(());
        };
        refund.status = end;
        let event_type = match end {
            RefundStatus::Failed => "refund.failed",
            RefundStatus::Pending | RefundStatus::Succeeded => "refund.updated",
        };
        let object = wire::refund(&intent, &refund);
        intent.refund = Some(refund);
        let change = Change {
            intent: Some(intent),
            ..Change::default()
        };
        self.commit_with_event(&mut state, change, None, event_type, &object)
    }
}

/// How the next refund begins, and what it ends as if that comes later.
fn course(
    behaviour: &mut Behaviour,
    token: Option<TestToken>,
) -> (RefundStatus, Option<RefundStatus>) {
    if take_one(&mut behaviour.refunds.fail_next) {
        (RefundStatus::Pending, Some(RefundStatus::Failed))
    } else if take_one(&mut behaviour.refunds.pending_next)
        || token == Some(TestToken::RefundPending)
    {
        (RefundStatus::Pending, Some(RefundStatus::Succeeded))
    } else if token == Some(TestToken::RefundFails) {
        (RefundStatus::Succeeded, Some(RefundStatus::Failed))
    } else {
        (RefundStatus::Succeeded, None)
    }
}
