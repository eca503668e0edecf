//! A user directory in which everybody is called Ada & Co. and has an address made of their id.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use kernel::{ManualClock, UserId};
use tonic::{Request, Response, Status, async_trait, service::Routes};
use user_directory::{
    Directory, IssuedToken, ServiceTokens,
    v1::{
        BatchGetUsersRequest, BatchGetUsersResponse, ListAuditEventsRequest,
        ListAuditEventsResponse, ListUsersRequest, ListUsersResponse, ResolveApiKeyRequest,
        ResolveApiKeyResponse, User,
        user_directory_server::{UserDirectory, UserDirectoryServer},
    },
};

pub const NAME: &str = "Ada & Co.";

#[derive(Clone, Default)]
pub struct People {
    calls: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
    left: Arc<Mutex<HashSet<String>>>,
}

pub fn email(id: UserId) -> String {
    format!("{id}@plumbline.test")
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

    pub fn are_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub fn leave(&self, id: UserId) {
        self.left.lock().unwrap().insert(id.to_string());
    }
}

#[async_trait]
impl UserDirectory for People {
    async fn batch_get_users(
        &self,
        request: Request<BatchGetUsersRequest>,
    ) -> Result<Response<BatchGetUsersResponse>, Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(Status::unavailable("away"));
        }
        let mut ids = request.into_inner().ids;
        ids.retain(|id| !self.left.lock().unwrap().contains(id));
        let users = ids.into_iter().map(|id| User {
            name: NAME.to_owned(),
            email: format!("{id}@plumbline.test"),
            email_verified: true,
            id,
            ..User::default()
        });
        Ok(Response::new(BatchGetUsersResponse {
            users: users.collect(),
        }))
    }

    async fn list_users(
        &self,
        _: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Err(Status::permission_denied("the worker has no such scope"))
    }

    async fn list_audit_events(
        &self,
        _: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        Err(Status::permission_denied("the worker has no such scope"))
    }

    async fn resolve_api_key(
        &self,
        _: Request<ResolveApiKeyRequest>,
    ) -> Result<Response<ResolveApiKeyResponse>, Status> {
        Err(Status::permission_denied("the worker has no such scope"))
    }
}
