//! What the directory tells, read from its messages.

use chrono::{DateTime, Utc};
use kernel::{UserId, page::Key};
use uuid::Uuid;

use crate::v1;

/// What is told of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    /// Since when the person can't log in.
    pub disabled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// Which lines of the audit log are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who did it.
    pub actor_id: Option<Uuid>,
    /// The id of whom or what it was done to.
    pub target_id: Option<String>,
    /// For example `session.created`.
    pub action: Option<String>,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    pub id: Uuid,
    pub occurred_at: DateTime<Utc>,
    /// `person`, `api_key`, `service_account`, `operator`, `system` or `anonymous`.
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub action: String,
    /// For example `user`.
    pub target_kind: String,
    pub target_id: Option<String>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
    /// `succeeded` or `refused`.
    pub outcome: String,
    pub details: serde_json::Value,
}

/// The server speaks another language than this client.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAnswer {
    #[error("an id is none")]
    Id(#[from] uuid::Error),
    #[error("{0} microseconds are no time")]
    Time(i64),
    #[error("details are not JSON")]
    Details(#[from] serde_json::Error),
}

impl Person {
    /// Where the person stands in a list.
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            created_at: self.created_at,
            id: self.id.into(),
        }
    }
}

impl AuditEvent {
    /// Where the line stands in the log.
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            created_at: self.occurred_at,
            id: self.id,
        }
    }
}

impl TryFrom<v1::User> for Person {
    type Error = InvalidAnswer;

    fn try_from(user: v1::User) -> Result<Self, InvalidAnswer> {
        Ok(Self {
            id: user.id.parse()?,
            name: user.name,
            email: user.email,
            email_verified: user.email_verified,
            disabled_at: user.disabled_at.map(time).transpose()?,
            created_at: time(user.created_at)?,
        })
    }
}

impl TryFrom<v1::AuditEvent> for AuditEvent {
    type Error = InvalidAnswer;

    fn try_from(event: v1::AuditEvent) -> Result<Self, InvalidAnswer> {
        let actor_id = event.actor_id.as_deref().map(Uuid::parse_str).transpose()?;
        Ok(Self {
            id: event.id.parse()?,
            occurred_at: time(event.occurred_at)?,
            actor_kind: event.actor_kind,
            actor_id,
            action: event.action,
            target_kind: event.target_kind,
            target_id: event.target_id,
            ip: event.ip,
            request_id: event.request_id,
            outcome: event.outcome,
            details: serde_json::from_str(&event.details)?,
        })
    }
}

fn time(micros: i64) -> Result<DateTime<Utc>, InvalidAnswer> {
    DateTime::from_timestamp_micros(micros).ok_or(InvalidAnswer::Time(micros))
}
