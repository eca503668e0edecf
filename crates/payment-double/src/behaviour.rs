use serde::{Deserialize, Serialize};

/// How the double misbehaves, as `POST /double/behaviour` takes it. A field left out is off, so an
/// empty object makes it behave well again. Counters count down as they are used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// This many calls fail before they do anything.
    pub fail_next: u32,
    /// The status that those answer, 400 to 599.
    pub fail_status: u16,
    /// This many charges and refunds are made and then not answered.
    pub time_out_next: u32,
    /// Every answer is held back for this long, at most a minute; its effect isn't.
    pub answer_delay_ms: u32,
    pub webhooks: WebhookBehaviour,
    pub refunds: RefundBehaviour,
}

/// What becomes of refunds that are asked for from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefundBehaviour {
    /// This many are refused: `charge_disputed`.
    pub refuse_next: u32,
    /// This many are taken, and fail a moment later.
    pub fail_next: u32,
    /// This many are taken, and succeed a moment later.
    pub pending_next: u32,
}

/// What becomes of webhooks made from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookBehaviour {
    /// This many events are never sent.
    pub drop_next: u32,
    /// Every event is held back for this long, at most a minute.
    pub delay_ms: u32,
    /// Every event is sent this often, 1 to 10.
    pub copies: u8,
    /// Events are gathered in groups of this many, 1 to 100, each sent newest first. A group that
    /// doesn't fill is sent after a second.
    pub reorder: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBehaviour {
    #[error("fail_status is not from 400 to 599")]
    FailStatus,
    #[error("a delay is longer than 60000 ms")]
    Delay,
    #[error("webhooks.copies is not from 1 to 10")]
    Copies,
    #[error("webhooks.reorder is not from 1 to 100")]
    Reorder,
}

const MAX_DELAY_MS: u32 = 60_000;

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            fail_next: 0,
            fail_status: 503,
            time_out_next: 0,
            answer_delay_ms: 0,
            webhooks: WebhookBehaviour::default(),
            refunds: RefundBehaviour::default(),
        }
    }
}

impl Default for WebhookBehaviour {
    fn default() -> Self {
        Self {
            drop_next: 0,
            delay_ms: 0,
            copies: 1,
            reorder: 1,
        }
    }
}

impl Behaviour {
    pub(crate) fn validate(&self) -> Result<(), InvalidBehaviour> {
        if !(400..=599).contains(&self.fail_status) {
            return Err(InvalidBehaviour::FailStatus);
        }
        if self.answer_delay_ms.max(self.webhooks.delay_ms) > MAX_DELAY_MS {
            return Err(InvalidBehaviour::Delay);
        }
        if !(1..=10).contains(&self.webhooks.copies) {
            return Err(InvalidBehaviour::Copies);
        }
        if !(1..=100).contains(&self.webhooks.reorder) {
            return Err(InvalidBehaviour::Reorder);
        }
        Ok(())
    }
}

/// Uses one up, if any is left.
pub(crate) fn take_one(counter: &mut u32) -> bool {
    match counter.checked_sub(1) {
        Some(rest) => {
            *counter = rest;
            true
        }
        None => false,
    }
}
