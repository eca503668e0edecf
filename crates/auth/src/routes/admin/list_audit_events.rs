use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service_kit::{access_token::Authenticated, problem::Problem};
use uuid::Uuid;

use super::{Neighbours, query, slice};
use crate::{
    context::Context,
    store::audit_event,
    use_cases::admin::{self, AuditFilter},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    actor: Option<Uuid>,
    target: Option<String>,
    action: Option<String>,
    first: Option<i64>,
    after: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct AuditEventPage {
    items: Vec<AuditEvent>,
    page: Neighbours,
}

/// Who did what to whom, from where.
#[derive(Serialize, utoipa::ToSchema)]
struct AuditEvent {
    id: Uuid,
    occurred_at: DateTime<Utc>,
    actor: AuditActor,
    #[schema(example = "user.role-changed")]
    action: String,
    target: AuditTarget,
    #[schema(example = "192.0.2.1")]
    ip: Option<String>,
    request_id: Option<String>,
    /// `succeeded` or `refused`.
    #[schema(example = "succeeded")]
    outcome: String,
    /// What else there is to know, by the action.
    #[schema(value_type = Object, example = json!({"from": "customer", "to": "support"}))]
    details: serde_json::Value,
}

#[derive(Serialize, utoipa::ToSchema)]
struct AuditActor {
    /// `person`, `api_key`, `service_account`, `operator`, `system` or `anonymous`.
    #[schema(example = "person")]
    kind: String,
    id: Option<Uuid>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct AuditTarget {
    #[schema(example = "user")]
    kind: String,
    id: Option<String>,
}

impl From<audit_event::Model> for AuditEvent {
    fn from(event: audit_event::Model) -> Self {
        Self {
            id: event.id,
            occurred_at: event.occurred_at,
            actor: AuditActor {
                kind: event.actor_kind,
                id: event.actor_id,
            },
            action: event.action,
            target: AuditTarget {
                kind: event.target_kind,
                id: event.target_id,
            },
            ip: event.ip,
            request_id: event.request_id,
            outcome: event.outcome,
            details: event.details,
        }
    }
}

/// Read the audit log.
///
/// The newest first; of what is given as `actor`, `target` and `action`, all must be true.
#[utoipa::path(
    get,
    path = "/auth/v1/admin/audit-events",
    operation_id = "listAuditEvents",
    tag = "admin",
    params(
        ("actor" = Option<Uuid>, Query, description = "Who did it: the id of a user or service account"),
        ("target" = Option<String>, Query, description = "To what it was done: an id"),
        ("action" = Option<String>, Query, description = "What was done", example = "user.role-changed"),
        ("first" = Option<i64>, Query, description = "So many events after `after`", minimum = 1, maximum = 100, example = 20),
        ("after" = Option<Uuid>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of events", body = AuditEventPage),
        (status = 400, description = "`invalid-page-size`, `invalid-cursor`"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query {
        actor,
        target,
        action,
        first,
        after,
    } = query(&request)?;
    let filter = AuditFilter {
        actor_id: actor,
        target_id: target,
        action,
    };
    let slice = slice(first, after)?;
    let events = admin::list_audit_events(&context, caller.actor(), &filter, slice).await?;
    let page = AuditEventPage {
        items: events.items.into_iter().map(AuditEvent::from).collect(),
        page: Neighbours { next: events.next },
    };
    Ok(HttpResponse::Ok().json(page))
}
