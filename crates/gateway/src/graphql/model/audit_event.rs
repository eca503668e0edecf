use crate::graphql::direct::Plain;
use async_graphql::{ID, Json, SimpleObject};

use super::Timestamp;

/// A line of the audit log: who did what to whom, from where.
#[derive(SimpleObject)]
pub(in crate::graphql) struct AuditEvent {
    id: ID,
    occurred_at: Timestamp,
    /// `person`, `api_key`, `service_account`, `operator`, `system` or `anonymous`.
    actor_kind: String,
    actor_id: Option<ID>,
    /// For example `user.role-changed`.
    action: String,
    /// For example `user`.
    target_kind: String,
    target_id: Option<ID>,
    ip: Option<String>,
    request_id: Option<String>,
    /// `succeeded` or `refused`.
    outcome: String,
    /// What else there is to know, by the action; an object.
    details: Json<serde_json::Value>,
}

impl From<user_directory::AuditEvent> for AuditEvent {
    fn from(event: user_directory::AuditEvent) -> Self {
        Self {
            id: event.id.to_string().into(),
            occurred_at: event.occurred_at.into(),
            actor_kind: event.actor_kind,
            actor_id: event.actor_id.map(|id| id.to_string().into()),
            action: event.action,
            target_kind: event.target_kind,
            target_id: event.target_id.map(ID::from),
            ip: event.ip,
            request_id: event.request_id,
            outcome: event.outcome,
            details: Json(event.details),
        }
    }
}

impl Plain for AuditEvent {}
