use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use contracts::{ApiKey, ResolvedApiKey};
use kernel::UserId;
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
    MAX_IDS, MAX_MESSAGE, ServiceTokens, TokenError,
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

/// What is told of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

/// The client of the directory. Clones share the connection, the token and the bounds.
#[derive(Clone)]
pub struct Directory {
    client: UserDirectoryClient<Transport>,
    tokens: ServiceTokens,
    turns: Arc<Semaphore>,
    deadline: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("the directory did not answer in time")]
    Timeout,
    #[error("there is no service token to call the directory with")]
    Token(#[from] TokenError),
    #[error("the service token can't be sent in a header")]
    TokenText(#[from] InvalidMetadataValue),
    #[error("the directory refused the call or failed")]
    Status(#[source] Box<Status>),
    #[error("the directory's answer has an id that is none")]
    Answer(#[from] uuid::Error),
    #[error("the directory's answer is not understood")]
    ApiKey(#[from] InvalidApiKey),
}

impl DirectoryError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout => true,
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
        let answered = timeout(self.deadline, answering.instrument(span.clone())).await;
        let answered = answered.unwrap_or(Err(DirectoryError::Timeout));
        let outcome = if answered.is_ok() { "ok" } else { "failed" };
        if answered.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        metrics::counter!("plumbline_directory_calls_total", "method" => method, "outcome" => outcome)
            .increment(1);
        answered
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

impl TryFrom<v1::User> for Person {
    type Error = uuid::Error;

    fn try_from(user: v1::User) -> Result<Self, Self::Error> {
        Ok(Self {
            id: user.id.parse()?,
            name: user.name,
            email: user.email,
        })
    }
}
