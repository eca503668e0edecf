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
    BatchGetUsersRequest, BatchGetUsersResponse, ResolveApiKeyRequest, ResolveApiKeyResponse, User,
};
use user_directory::{Directory, IssuedToken, ServiceTokens};

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
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(Status::unavailable("away"));
        }
        let user = |id: String| User {
            name: format!("Name of {id}"),
            email: format!("{id}@example.com"),
            id,
        };
        let users = request.into_inner().ids.into_iter().map(user).collect();
        Ok(Response::new(BatchGetUsersResponse { users }))
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
}
