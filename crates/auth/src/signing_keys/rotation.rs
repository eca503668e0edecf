//! The life of a signing key, as a pure machine:
//!
//! ```text
//! next ──► current ──► previous ──► retired
//!   └──────────────────────────────────▲
//! ```
//!
//! The next key is published before it signs, so that every verifier has it when the first token
//! comes. The current key signs. Previous keys sign nothing, but verify what they signed. A retired
//! key verifies nothing, and its private half is gone.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use super::SigningAlgorithm;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    Current,
    Next,
    Previous,
    Retired,
}

/// The database has a state that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of a signing key")]
pub struct UnknownKeyState(String);

impl KeyState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

impl FromStr for KeyState {
    type Err = UnknownKeyState;

    fn from_str(name: &str) -> Result<Self, UnknownKeyState> {
        [Self::Current, Self::Next, Self::Previous, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| UnknownKeyState(name.to_owned()))
    }
}

/// A key without its private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    pub kid: String,
    pub algorithm: SigningAlgorithm,
    pub state: KeyState,
    /// When it was published.
    pub created_at: DateTime<Utc>,
    /// When it began to sign.
    pub activated_at: Option<DateTime<Utc>>,
    /// When it stopped signing.
    pub superseded_at: Option<DateTime<Utc>>,
    /// When it stopped verifying.
    pub retired_at: Option<DateTime<Utc>>,
}

impl KeyRecord {
    pub(super) fn published(kid: String, algorithm: SigningAlgorithm, now: DateTime<Utc>) -> Self {
        Self {
            kid,
            algorithm,
            state: KeyState::Next,
            created_at: now,
            activated_at: None,
            superseded_at: None,
            retired_at: None,
        }
    }

    pub(super) fn activated(self, now: DateTime<Utc>) -> Self {
        Self {
            state: KeyState::Current,
            activated_at: Some(now),
            ..self
        }
    }

    pub(super) fn superseded(self, now: DateTime<Utc>) -> Self {
        Self {
            state: KeyState::Previous,
            superseded_at: Some(now),
            ..self
        }
    }

    pub(super) fn retired(self, now: DateTime<Utc>) -> Self {
        Self {
            state: KeyState::Retired,
            retired_at: Some(now),
            ..self
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RotationPolicy {
    /// Of new keys.
    pub algorithm: SigningAlgorithm,
    /// How long a key signs.
    pub rotate_every: TimeDelta,
    /// How long a key is published before it signs.
    pub publish_ahead: TimeDelta,
    /// How long a key goes on verifying after it was superseded.
    pub keep_previous: TimeDelta,
}

/// One transition. A key is named by its `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Make a key; it is the next one.
    Publish,
    /// The next key becomes the current one, which becomes a previous one.
    Activate(String),
    Retire(String),
}

/// Whether a rotation by hand waits until every verifier has the next key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Refuses before that, and says when it will be.
    WhenPublished,
    /// Rotates all the same: a verifier that has not fetched the next key yet may refuse tokens for
    /// as long as it waits between two fetches, 30 s.
    Now,
}

/// Why a command is not obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "the next key was published only a moment ago, and verifiers may not have it before \
         {usable_from}; --now rotates all the same"
    )]
    TooEarly { usable_from: DateTime<Utc> },
    #[error("there is no next key")]
    NoNextKey,
    #[error("there is no key `{0}`")]
    Unknown(String),
    #[error("`{0}` is the current key: rotate first, then retire it")]
    Current(String),
    #[error("`{0}` was retired before")]
    AlreadyRetired(String),
}

/// What is to be done now, the most urgent first; `None` when all is as it should be. A step that
/// was taken is not due again, so repeating this comes to an end.
pub(super) fn due(keys: &[KeyRecord], policy: &RotationPolicy, now: DateTime<Utc>) -> Option<Step> {
    let Some(next) = in_state(keys, KeyState::Next) else {
        return Some(Step::Publish);
    };
    let Some(current) = in_state(keys, KeyState::Current) else {
        // There is no token yet that a verifier could meet without the key.
        return Some(Step::Activate(next.kid.clone()));
    };
    let is_usable = now >= usable_from(next, policy);
    if is_usable && next.algorithm != policy.algorithm {
        // Not before it is usable, so that two processes whose settings differ, as during a
        // deployment, replace each other's key rarely and not at every look.
        return Some(Step::Retire(next.kid.clone()));
    }
    let signing_since = current.activated_at.unwrap_or(current.created_at);
    if is_usable && now >= signing_since + policy.rotate_every {
        return Some(Step::Activate(next.kid.clone()));
    }
    keys.iter()
        .find(|key| has_expired(key, policy, now))
        .map(|key| Step::Retire(key.kid.clone()))
}

/// `plumbline keys rotate`.
pub(super) fn rotate(
    keys: &[KeyRecord],
    policy: &RotationPolicy,
    haste: Haste,
    now: DateTime<Utc>,
) -> Result<Step, Refused> {
    let next = in_state(keys, KeyState::Next).ok_or(Refused::NoNextKey)?;
    let usable_from = usable_from(next, policy);
    if haste == Haste::WhenPublished && now < usable_from {
        return Err(Refused::TooEarly { usable_from });
    }
    Ok(Step::Activate(next.kid.clone()))
}

/// `plumbline keys retire`.
pub(super) fn retire(keys: &[KeyRecord], kid: &str) -> Result<Step, Refused> {
    let key = keys.iter().find(|key| key.kid == kid);
    let kid = kid.to_owned();
    match key.map(|key| key.state) {
        None => Err(Refused::Unknown(kid)),
        Some(KeyState::Current) => Err(Refused::Current(kid)),
        Some(KeyState::Retired) => Err(Refused::AlreadyRetired(kid)),
        Some(KeyState::Next | KeyState::Previous) => Ok(Step::Retire(kid)),
    }
}

pub(super) fn in_state(keys: &[KeyRecord], state: KeyState) -> Option<&KeyRecord> {
    keys.iter().find(|key| key.state == state)
}

fn usable_from(next: &KeyRecord, policy: &RotationPolicy) -> DateTime<Utc> {
    next.created_at + policy.publish_ahead
}

fn has_expired(key: &KeyRecord, policy: &RotationPolicy, now: DateTime<Utc>) -> bool {
    let superseded_at = key.superseded_at.unwrap_or(key.created_at);
    key.state == KeyState::Previous && now >= superseded_at + policy.keep_previous
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
