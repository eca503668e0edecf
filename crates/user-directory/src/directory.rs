use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use contracts::{ApiKey, ResolvedApiKey};
use kernel::{
    Breaker, BreakerPolicy, Role, UserId,
    page::{Direction, Page, PageRequest},
};
use secrecy::ExposeSecret as _;
use tokio::{sync::Semaphore, time::timeout};
use tonic::{
    Code, Request, Response, Status,
    metadata::{AsciiMetadataValue, errors::InvalidMetadataValue},
    service::Routes,
    transport::Endpoint,
};
use tracing::{Instrument as _, Span, field::Empty};
use url::Url;

use crate::{
    AuditEvent, AuditFilter, InvalidAnswer, MAX_IDS, MAX_MESSAGE, Person, ServiceTokens,
    TokenError,
    api_key::InvalidApiKey,
    transport::Transport,
    v1::{self, user_directory_client::UserDirectoryClient},
};

/// For a whole call: waiting for one's turn, the service token, and the answer.
const DEADLINE: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Shorter than what takes an idle connection for dead on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Calls at a time; more wait for their turn.
const MAX_CALLS: usize = 64;

/// A directory that fails is left alone for a moment, and then tried by one call at a time.
const BREAKER: BreakerPolicy = BreakerPolicy {
    threshold: 3,
    first_pause: TimeDelta::milliseconds(500),
    longest_pause: TimeDelta::seconds(10),
};

/// The client of the directory. Clones share the connection, the token and the bounds.
#[derive(Clone)]
pub struct Directory {
    client: UserDirectoryClient<Transport>,
    tokens: ServiceTokens,
    turns: Arc<Semaphore>,
    breaker: Arc<Mutex<Breaker>>,
    deadline: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("the directory did not answer in time")]
    Timeout,
    #[error("the directory has failed several times and is left alone for {0:?}")]
    LeftAlone(Duration),
    #[error("there is no service token to call the directory with")]
    Token(#[from] TokenError),
    #[error("the service token can't be sent in a header")]
    TokenText(#[from] InvalidMetadataValue),
    #[error("the directory refused the call or failed")]
    Status(#[source] Box<Status>),
    #[error("the directory's answer is not understood")]
    Answer(#[from] InvalidAnswer),
    #[error("the directory's answer is not understood")]
    ApiKey(#[from] InvalidApiKey),
}

impl DirectoryError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout | Self::LeftAlone(_) => true,
            Self::Token(error) => error.is_transient(),
            Self::Status(status) => is_away(status.code()),
            Self::TokenText(_) | Self::Answer(_) | Self::ApiKey(_) => false,
        }
    }
}

fn is_away(code: Code) -> bool {
    // `Unknown` is what the client itself says when its connection failed before the call.
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Cancelled
            | Code::Unknown
    )
}

impl Directory {
    /// Connects when the first call is made, and again when the connection breaks.
    ///
    /// # Errors
    /// If the address is not that of a server.
    pub fn connect(url: &Url, tokens: ServiceTokens) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(url.to_string())?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_while_idle(true);
        let channel = endpoint.connect_lazy();
        Ok(Self::over(Transport::Network(channel), tokens))
    }

    /// Calls the services of a server in this process.
    #[must_use]
    pub fn in_process(services: Routes, tokens: ServiceTokens) -> Self {
        Self::over(Transport::InProcess(services), tokens)
    }

    fn over(transport: Transport, tokens: ServiceTokens) -> Self {
        let client = UserDirectoryClient::new(transport)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        Self {
            client,
            tokens,
            turns: Arc::new(Semaphore::new(MAX_CALLS)),
            breaker: Arc::new(Mutex::new(Breaker::new(BREAKER))),
            deadline: DEADLINE,
        }
    }

    /// The same client with another limit for a call; 2 s otherwise.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The people with these ids; who is unknown is absent. One call for each [`MAX_IDS`] of them.
    ///
    /// # Errors
    /// [`DirectoryError`]
    pub async fn people(
        &self,
        ids: impl IntoIterator<Item = UserId>,
    ) -> Result<HashMap<UserId, Person>, DirectoryError> {
        let ids: HashSet<UserId> = ids.into_iter().collect();
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut people = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(MAX_IDS) {
            let message = v1::BatchGetUsersRequest { ids: ids.to_vec() };
            let answer = self.call("BatchGetUsers", message, async |mut client, request| {
                client.batch_get_users(request).await
            });
            for user in answer.await?.users {
                let person = Person::try_from(user)?;
                people.insert(person.id, person);
            }
        }
        Ok(people)
    }

    /// A page of people who have not left, the oldest first: those whose address or name begins with
    /// `search`, and who are of the role, where these are given.
    ///
    /// # Errors
    /// [`DirectoryError`]
    pub async fn list_people(
        &self,
        search: Option<&str>,
        role: Option<Role>,
        request: PageRequest,
    ) -> Result<Page<Person>, DirectoryError> {
        let message = v1::ListUsersRequest {
            search: search.map(str::to_owned),
            role: role.map(|role| role.as_str().to_owned()),
            page: Some(rows_of(request)),
        };
        let answer = self.call("ListUsers", message, async |mut client, request| {
            client.list_users(request).await
        });
        let people = answer.await?.users.into_iter().map(Person::try_from);
        Ok(request.page(people.collect::<Result<_, _>>()?))
    }

    /// A page of the audit log, the newest first: of what is given in `filter`, all is true.
    ///
    /// # Errors
    /// [`DirectoryError`]
    pub async fn list_audit_events(
        &self,
        filter: AuditFilter,
        request: PageRequest,
    ) -> Result<Page<AuditEvent>, DirectoryError> {
        let message = v1::ListAuditEventsRequest {
            actor_id: filter.actor_id.map(|id| id.to_string()),
            target_id: filter.target_id,
            action: filter.action,
            page: Some(rows_of(request)),
        };
        let answer = self.call("ListAuditEvents", message, async |mut client, request| {
            client.list_audit_events(request).await
        });
        let events = answer.await?.events.into_iter().map(AuditEvent::try_from);
        Ok(request.page(events.collect::<Result<_, _>>()?))
    }

    /// Whose an API key is; `None` if it is unknown, expired or revoked, or its owner is disabled or
    /// gone.
    ///
    /// # Errors
    /// [`DirectoryError`]
    pub async fn resolve_api_key(
        &self,
        key: &ApiKey,
    ) -> Result<Option<ResolvedApiKey>, DirectoryError> {
        let message = v1::ResolveApiKeyRequest { key: key.expose() };
        let answer = self.call("ResolveApiKey", message, async |mut client, request| {
            client.resolve_api_key(request).await
        });
        let found = answer.await?.api_key;
        Ok(found.map(ResolvedApiKey::try_from).transpose()?)
    }

    /// One call with all that belongs to it: a turn, a token, a deadline, a span, a count.
    async fn call<M: Clone, A>(
        &self,
        method: &'static str,
        message: M,
        send: impl AsyncFn(UserDirectoryClient<Transport>, Request<M>) -> Result<Response<A>, Status>,
    ) -> Result<A, DirectoryError> {
        let span = tracing::info_span!(
            "directory.call",
            otel.name = %format_args!("UserDirectory/{method}"),
            otel.kind = "client",
            rpc.system = "grpc",
            rpc.method = method,
            otel.status_code = Empty,
        );
        let answering = async {
            // Never closed.
            let _turn = self.turns.acquire().await;
            self.call_with_token(&message, &send).await
        };
        let answered = match self.admit() {
            Err(pause) => Err(DirectoryError::LeftAlone(pause)),
            Ok(()) => {
                let answered = timeout(self.deadline, answering.instrument(span.clone())).await;
                let answered = answered.unwrap_or(Err(DirectoryError::Timeout));
                self.learn_from(&answered);
                answered
            }
        };
        let outcome = if answered.is_ok() { "ok" } else { "failed" };
        if answered.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        metrics::counter!("plumbline_directory_calls_total", "method" => method, "outcome" => outcome)
            .increment(1);
        answered
    }

    /// Or says how long the directory is left alone.
    fn admit(&self) -> Result<(), Duration> {
        self.breaker().admit(self.tokens.now())
    }

    /// A refusal is an answer: whoever gives one is not away.
    fn learn_from<A>(&self, answered: &Result<A, DirectoryError>) {
        match answered {
            Err(error) if error.is_transient() => self.breaker().failed(self.tokens.now()),
            Ok(_) | Err(_) => self.breaker().succeeded(),
        }
    }

    /// Nothing panics while the lock is held.
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that the server does not take any more is replaced, once.
    async fn call_with_token<M: Clone, A>(
        &self,
        message: &M,
        send: &impl AsyncFn(UserDirectoryClient<Transport>, Request<M>) -> Result<Response<A>, Status>,
    ) -> Result<A, DirectoryError> {
        let token = self.tokens.token().await?;
        let request = self.request(message.clone(), token.expose_secret())?;
        let refused = match send(self.client.clone(), request).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        if refused.code() != Code::Unauthenticated {
            return Err(DirectoryError::Status(Box::new(refused)));
        }
        let token = self.tokens.replace(&token).await?;
        let request = self.request(message.clone(), token.expose_secret())?;
        let answer = send(self.client.clone(), request).await;
        answer
            .map(Response::into_inner)
            .map_err(|status| DirectoryError::Status(Box::new(status)))
    }

    fn request<M>(&self, message: M, token: &str) -> Result<Request<M>, InvalidMetadataValue> {
        let mut request = Request::new(message);
        // Told to the server, so that it does not work on what nobody waits for.
        request.set_timeout(self.deadline);
        let mut authorization = AsciiMetadataValue::try_from(format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", authorization);
        if let Some(traceparent) = trace_context::traceparent_of(&Span::current()) {
            metadata.insert("traceparent", traceparent.parse()?);
        }
        Ok(request)
    }
}

/// One row more than the page has: it tells of a further page.
fn rows_of(request: PageRequest) -> v1::Page {
    v1::Page {
        limit: u32::from(request.size()) + 1,
        from: request.from.map(|key| key.id.to_string()),
        backward: request.direction == Direction::Backward,
    }
}
