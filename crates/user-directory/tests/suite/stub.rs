//! A directory that knows everybody, an issuer of tokens, and the two ways between them.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kernel::{ManualClock, UserId};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{
    Request, Response, Status, async_trait,
    metadata::MetadataMap,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use user_directory::{
    Directory, IssuedToken, ServiceTokens, TokenError,
    v1::{
        BatchGetUsersRequest, BatchGetUsersResponse, ListAuditEventsRequest,
        ListAuditEventsResponse, ListUsersRequest, ListUsersResponse, ResolveApiKeyRequest,
        ResolveApiKeyResponse, User,
        user_directory_server::{UserDirectory, UserDirectoryServer},
    },
};

/// Answers everybody whose token is `accepted`, and remembers what it was sent.
#[derive(Clone, Default)]
pub struct Stub {
    pub accepted: Arc<Mutex<String>>,
    pub calls: Arc<Mutex<Vec<Call>>>,
    /// Takes the call and never answers.
    pub is_stuck: bool,
}

/// What came with a call, and whom it asked for.
pub type Call = (MetadataMap, Vec<String>);

#[async_trait]
impl UserDirectory for Stub {
    async fn batch_get_users(
        &self,
        request: Request<BatchGetUsersRequest>,
    ) -> Result<Response<BatchGetUsersResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let token = metadata.get("authorization").unwrap().to_str().unwrap();
        let accepted = token == format!("Bearer {}", self.accepted.lock().unwrap());
        let call = (metadata, message.ids.clone());
        self.calls.lock().unwrap().push(call);
        if self.is_stuck {
            std::future::pending::<()>().await;
        }
        if !accepted {
            return Err(Status::unauthenticated("the token is not valid"));
        }
        let user = |id: String| User {
            name: format!("Name of {id}"),
            email: format!("{id}@example.com"),
            id,
            ..User::default()
        };
        let users = message.ids.into_iter().map(user).collect();
        Ok(Response::new(BatchGetUsersResponse { users }))
    }

    async fn list_users(
        &self,
        _: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Err(Status::unimplemented("nobody lists here"))
    }

    async fn list_audit_events(
        &self,
        _: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        Err(Status::unimplemented("nothing happens here"))
    }

    async fn resolve_api_key(
        &self,
        _: Request<ResolveApiKeyRequest>,
    ) -> Result<Response<ResolveApiKeyResponse>, Status> {
        Err(Status::unimplemented("nobody has keys here"))
    }
}

impl Stub {
    pub fn accepting(token: &str) -> Self {
        let stub = Self::default();
        token.clone_into(&mut stub.accepted.lock().unwrap());
        stub
    }

    pub fn services(&self) -> Routes {
        Routes::new(UserDirectoryServer::new(self.clone()))
    }

    pub fn in_process(&self, tokens: ServiceTokens) -> Directory {
        Directory::in_process(self.services(), tokens)
    }

    /// Serves on loopback.
    pub fn over_loopback(&self, tokens: ServiceTokens) -> (Directory, Serving) {
        let serving = self.serve(SocketAddr::from(([127, 0, 0, 1], 0)));
        let url = format!("http://{}", serving.address);
        let directory = Directory::connect(&url.parse().unwrap(), tokens).unwrap();
        (directory, serving)
    }

    /// Serves at an address that may have been served before.
    pub fn serve(&self, address: SocketAddr) -> Serving {
        let incoming = TcpIncoming::bind(address).unwrap();
        let address = incoming.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving = Server::builder()
            .add_routes(self.services())
            .serve_with_incoming_shutdown(incoming, stopped);
        Serving {
            address,
            stop: stop.drop_guard(),
            task: tokio::spawn(serving),
        }
    }

    /// How many people each call asked for.
    pub fn batches(&self) -> Vec<usize> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(_, ids)| ids.len()).collect()
    }
}

/// A server, until it is dropped.
pub struct Serving {
    address: SocketAddr,
    stop: DropGuard,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Serving {
    /// Ends it, and says where it was.
    pub async fn stop(self) -> SocketAddr {
        drop(self.stop);
        self.task.await.unwrap().unwrap();
        self.address
    }
}

/// Issues `token-1`, `token-2` and so on, or fails.
#[derive(Clone, Default)]
pub struct Issuer {
    pub fetches: Arc<AtomicUsize>,
    pub fails: bool,
}

impl Issuer {
    /// Tokens that last ten minutes.
    pub fn tokens(&self, clock: &ManualClock) -> ServiceTokens {
        let issuer = self.clone();
        ServiceTokens::new(Arc::new(clock.clone()), move || {
            let issuer = issuer.clone();
            async move {
                let number = issuer.fetches.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::yield_now().await;
                if issuer.fails {
                    return Err(TokenError::Status(503));
                }
                Ok(IssuedToken {
                    access_token: format!("token-{number}").into(),
                    expires_in: Duration::from_secs(600),
                })
            }
        })
    }

    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

pub fn ids(count: usize) -> Vec<UserId> {
    use kernel::Clock as _;
    let now = ManualClock::starting_now().now();
    (0..count).map(|_| UserId::generate(now)).collect()
}
