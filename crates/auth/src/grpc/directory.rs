//! `plumbline.user_directory.v1`: from messages to use-cases and back.

use std::sync::Arc;

use contracts::ApiKey;
use kernel::{Actor, Role, UserId, page::PageRequest};
use sea_orm::DbErr;
use service_kit::problem::chain;
use tonic::{Request, Response, Status, async_trait};
use user_directory::{
    MAX_IDS,
    v1::{
        self, BatchGetUsersRequest, BatchGetUsersResponse, ListAuditEventsRequest,
        ListAuditEventsResponse, ListUsersRequest, ListUsersResponse, Page, ResolveApiKeyRequest,
        ResolveApiKeyResponse, User, user_directory_server::UserDirectory,
    },
};
use uuid::Uuid;

use crate::{
    context::Context,
    store::{Rows, audit_event, user},
    use_cases::{
        admin::AuditFilter,
        list_for_programs::{list_events, list_people},
        look_up_users::{LookUpError, look_up_users},
        resolve_api_key::{ResolveError, resolve_api_key_for},
    },
};

pub(super) struct Directory {
    pub context: Arc<Context>,
}

#[async_trait]
impl UserDirectory for Directory {
    async fn batch_get_users(
        &self,
        request: Request<BatchGetUsersRequest>,
    ) -> Result<Response<BatchGetUsersResponse>, Status> {
        let actor = actor(&request)?;
        let ids = user_ids(&request.get_ref().ids)?;
        let found = look_up_users(&self.context, &actor, &ids).await?;
        let users = found.into_iter().map(User::from).collect();
        Ok(Response::new(BatchGetUsersResponse { users }))
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let actor = actor(&request)?;
        let ListUsersRequest { search, role, page } = request.into_inner();
        let role = role.map(|name| name.parse::<Role>()).transpose();
        let role = role.map_err(|_| Status::invalid_argument("no such role"))?;
        let rows = rows(page)?;
        let found = list_people(&self.context, &actor, search.as_deref(), role, rows).await?;
        let users = found.into_iter().map(User::from).collect();
        Ok(Response::new(ListUsersResponse { users }))
    }

    async fn list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        let actor = actor(&request)?;
        let request = request.into_inner();
        let filter = AuditFilter {
            actor_id: request.actor_id.as_deref().map(uuid).transpose()?,
            target_id: request.target_id,
            action: request.action,
        };
        let found = list_events(&self.context, &actor, &filter, rows(request.page)?).await?;
        let events = found.into_iter().map(v1::AuditEvent::from).collect();
        Ok(Response::new(ListAuditEventsResponse { events }))
    }

    async fn resolve_api_key(
        &self,
        request: Request<ResolveApiKeyRequest>,
    ) -> Result<Response<ResolveApiKeyResponse>, Status> {
        let actor = actor(&request)?;
        let malformed = |_| Status::invalid_argument("not an API key");
        let key = ApiKey::parse(&request.get_ref().key).map_err(malformed)?;
        let found = resolve_api_key_for(&self.context, &actor, &key).await?;
        let api_key = found.map(v1::ApiKey::from);
        Ok(Response::new(ResolveApiKeyResponse { api_key }))
    }
}

/// Whom the guard let in.
fn actor<M>(request: &Request<M>) -> Result<Actor, Status> {
    let actor = request.extensions().get::<Actor>().cloned();
    actor.ok_or_else(|| Status::unauthenticated("a service token is required"))
}

fn rows(page: Option<Page>) -> Result<Rows, Status> {
    let page = page.unwrap_or_default();
    // A page of the largest size, and the row that tells of a further one.
    if !(1..=u32::from(PageRequest::MAX_SIZE) + 1).contains(&page.limit) {
        return Err(Status::invalid_argument("a page has 1 to 101 rows"));
    }
    Ok(Rows {
        limit: page.limit.into(),
        from: page.from.as_deref().map(uuid).transpose()?,
        backward: page.backward,
    })
}

fn uuid(text: &str) -> Result<Uuid, Status> {
    text.parse()
        .map_err(|_| Status::invalid_argument("an id is a UUID"))
}

impl From<user::Model> for User {
    fn from(user: user::Model) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name,
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            disabled_at: user.disabled_at.map(|at| at.timestamp_micros()),
            created_at: user.created_at.timestamp_micros(),
        }
    }
}

impl From<audit_event::Model> for v1::AuditEvent {
    fn from(event: audit_event::Model) -> Self {
        Self {
            id: event.id.to_string(),
            occurred_at: event.occurred_at.timestamp_micros(),
            actor_kind: event.actor_kind,
            actor_id: event.actor_id.map(|id| id.to_string()),
            action: event.action,
            target_kind: event.target_kind,
            target_id: event.target_id,
            ip: event.ip,
            request_id: event.request_id,
            outcome: event.outcome,
            details: event.details.to_string(),
        }
    }
}

fn user_ids(texts: &[String]) -> Result<Vec<UserId>, Status> {
    if texts.len() > MAX_IDS {
        let message = format!("at most {MAX_IDS} ids");
        return Err(Status::invalid_argument(message));
    }
    texts.iter().map(|text| Ok(uuid(text)?.into())).collect()
}

impl From<LookUpError> for Status {
    fn from(error: LookUpError) -> Self {
        match error {
            LookUpError::Forbidden => forbidden(),
            LookUpError::Database(error) => failed(&error),
        }
    }
}

impl From<ResolveError> for Status {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Forbidden => forbidden(),
            ResolveError::Database(error) => failed(&error),
            ResolveError::Role(error) => internal(&error),
        }
    }
}

fn forbidden() -> Status {
    Status::permission_denied("the token does not allow this")
}

fn failed(error: &DbErr) -> Status {
    if database::is_transient(error) {
        tracing::warn!(cause = chain(error), "a gRPC call failed");
        Status::unavailable("a dependency is away")
    } else {
        internal(error)
    }
}

fn internal(error: &dyn std::error::Error) -> Status {
    tracing::error!(cause = chain(error), "a gRPC call failed");
    Status::internal("something went wrong on our side")
}
