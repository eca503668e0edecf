//! A user directory in which everybody is called after their id.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use std::time::Duration;

use kernel::ManualClock;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};
use user_directory::v1::user_directory_server::{UserDirectory, UserDirectoryServer};
use user_directory::v1::{
    AuditEvent, BatchGetUsersRequest, BatchGetUsersResponse, ListAuditEventsRequest,
    ListAuditEventsResponse, ListUsersRequest, ListUsersResponse, Page, ResolveApiKeyRequest,
    ResolveApiKeyResponse, User,
};
use user_directory::{Directory, IssuedToken, ServiceTokens};
use uuid::Uuid;

/// How many customers there are, and lines of the audit log.
pub const ROWS: u128 = 25;

#[derive(Clone, Default)]
pub struct People {
    calls: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
}

#[async_trait]
impl UserDirectory for People {
    async fn batch_get_users(
        &self,
        request: Request<BatchGetUsersRequest>,
    ) -> Result<Response<BatchGetUsersResponse>, Status> {
        self.answer()?;
        let users = request.into_inner().ids.into_iter().map(user).collect();
        Ok(Response::new(BatchGetUsersResponse { users }))
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        self.answer()?;
        let request = request.into_inner();
        assert_eq!(request.role(), "customer");
        let search = request.search.unwrap_or_default();
        let ids = (1..=ROWS).map(Uuid::from_u128).collect();
        let users = rows(ids, &request.page.unwrap()).into_iter().map(user);
        let users = users.filter(|user| user.email.starts_with(&search));
        Ok(Response::new(ListUsersResponse {
            users: users.collect(),
        }))
    }

    async fn list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        self.answer()?;
        let request = request.into_inner();
        let ids = (1..=ROWS).rev().map(Uuid::from_u128).collect();
        let event = |id| AuditEvent {
            id,
            actor_kind: "person".to_owned(),
            actor_id: request.actor_id.clone(),
            action: request.action.clone().unwrap_or_default(),
            target_kind: "user".to_owned(),
            target_id: request.target_id.clone(),
            outcome: "succeeded".to_owned(),
            details: r#"{"from": "customer"}"#.to_owned(),
            ..AuditEvent::default()
        };
        let events = rows(ids, request.page.as_ref().unwrap());
        let events = events.into_iter().map(event).collect();
        Ok(Response::new(ListAuditEventsResponse { events }))
    }

    async fn resolve_api_key(
        &self,
        _: Request<ResolveApiKeyRequest>,
    ) -> Result<Response<ResolveApiKeyResponse>, Status> {
        Err(Status::unimplemented("nobody has keys here"))
    }
}

impl People {
    pub fn directory(&self, clock: &ManualClock) -> Directory {
        let tokens = ServiceTokens::new(Arc::new(clock.clone()), || async {
            Ok(IssuedToken {
                access_token: "token".into(),
                expires_in: Duration::from_secs(600),
            })
        });
        let services = Routes::new(UserDirectoryServer::new(self.clone()));
        Directory::in_process(services, tokens)
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    pub fn come_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    fn answer(&self) -> Result<(), Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(Status::unavailable("away"));
        }
        Ok(())
    }
}

fn user(id: String) -> User {
    User {
        name: format!("Name of {id}"),
        email: format!("{id}@example.com"),
        id,
        ..User::default()
    }
}

/// Those of `ids`, which are in the list's order, that the page asks for.
fn rows(mut ids: Vec<Uuid>, page: &Page) -> Vec<String> {
    if page.backward {
        ids.reverse();
    }
    let ids = ids.into_iter().map(|id| id.to_string());
    let start = page.from.clone();
    let beyond = ids.skip_while(|id| start.as_ref().is_some_and(|from| from != id));
    let skipped = usize::from(page.from.is_some());
    let limit = page.limit.try_into().unwrap();
    beyond.skip(skipped).take(limit).collect()
}
