//! One connection: its state, its timers, its running operations.

use std::{collections::HashMap, convert::Infallible, io, sync::Arc, time::Duration};

use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError};
use async_graphql::ServerError;
use futures_util::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream::{self, AbortHandle, Abortable, BoxStream, SelectAll},
};
use kernel::Credential;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

use super::Sockets;
use super::admission::{Claim, Seat};
use super::protocol::{ClientMessage, Ending, ServerMessage};
use crate::caller::{Caller, NotAuthenticated, authenticate, expires_at};
use crate::graphql::answer::{Answer, Stage};
use crate::graphql::checked::CheckedExecutor;
use crate::graphql::code::{Code, error, too_many_error};
use crate::graphql::engine::Prepared;
use crate::graphql::guard::OperationKind;
use crate::graphql::parameters::Parameters;
use crate::limits::REFUSED;

/// A connection that an API key opened ends after so long: keys live for months, and what their
/// owner may do is found out when the client comes back.
const API_KEY_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Why a connection is over.
enum Over {
    /// We end it, with a close frame.
    Close(Ending),
    /// The client has gone, or the connection is broken.
    Gone,
    /// The client does not read, or does not answer.
    Stuck,
}

/// What a running operation brings forth.
enum Event {
    Answer(Answer),
    End,
}

type Operations = SelectAll<Abortable<BoxStream<'static, (Arc<str>, Event)>>>;

pub(super) struct Connection<E> {
    sockets: Arc<Sockets<E>>,
    session: actix_ws::Session,
    seat: Arc<Seat>,
    /// The access token of the cookie, until the connection is initialised.
    cookie: Option<String>,
    caller: Option<Caller>,
    /// Of the caller's share.
    claim: Option<Claim>,
    /// Ends when the caller's token is revoked.
    revoked: BoxFuture<'static, ()>,
    operations: Operations,
    running: HashMap<Arc<str>, AbortHandle>,
    timers: Timers,
}

struct Timers {
    /// Until then the connection must be initialised; or, from then on, the token has expired.
    deadline: Instant,
    next_ping: Instant,
    last_heard: Instant,
}

impl<E: CheckedExecutor> Connection<E> {
    pub(super) fn new(
        sockets: Arc<Sockets<E>>,
        session: actix_ws::Session,
        seat: Arc<Seat>,
        cookie: Option<String>,
    ) -> Self {
        let now = Instant::now();
        let timers = Timers {
            deadline: now + sockets.config.init_timeout,
            next_ping: now + sockets.config.ping_interval,
            last_heard: now,
        };
        Self {
            sockets,
            session,
            seat,
            cookie,
            caller: None,
            claim: None,
            revoked: future::pending().boxed(),
            operations: SelectAll::new(),
            running: HashMap::new(),
            timers,
        }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(mut self, mut messages: AggregatedMessageStream) {
        let over = match self.run(&mut messages).await {
            Ok(never) => match never {},
            Err(over) => over,
        };
        match over {
            Over::Gone => {}
            // The socket is cut by the system: see `prepare_socket`.
            Over::Stuck => metrics::counter!("plumbline_websocket_cut_total").increment(1),
            Over::Close(ending) => self.close(&ending).await,
        }
    }

    async fn close(self, ending: &Ending) {
        metrics::counter!("plumbline_websocket_closed_total", "code" => ending.code().to_string())
            .increment(1);
        let reason = CloseReason {
            code: CloseCode::from(ending.code()),
            description: Some(ending.reason()),
        };
        let closing = self.session.close(Some(reason));
        // Who has gone, or does not read, is not told.
        let _ = timeout(self.sockets.config.write_timeout, closing).await;
    }

    /// Never returns `Ok`: a connection ends by an [`Over`].
    async fn run(&mut self, messages: &mut AggregatedMessageStream) -> Result<Infallible, Over> {
        let stopping = self.sockets.shutdown.soft();
        let mut drain_until = None;
        loop {
            let wake_at = drain_until.unwrap_or_else(|| self.timers.next());
            tokio::select! {
                // In this order, so that nothing is sent once the caller is out, and a client that
                // is being flooded can still end a subscription.
                biased;
                () = &mut self.revoked => {
                    return Err(Over::Close(Ending::Forbidden("Access token revoked")));
                }
                () = sleep_until(wake_at) => {
                    if drain_until.is_some() {
                        let retry_after = self.share_of(self.sockets.config.reconnect_within);
                        return Err(Over::Close(Ending::Restart { retry_after }));
                    }
                    self.tick().await?;
                }
                () = stopping.cancelled(), if drain_until.is_none() => {
                    drain_until = Some(Instant::now() + self.share_of(self.sockets.config.drain));
                }
                message = messages.recv() => self.receive(message).await?,
                Some((id, event)) = self.operations.next(), if !self.operations.is_empty() => {
                    self.deliver(&id, event).await?;
                }
            }
        }
    }

    /// A part of `whole` that differs from connection to connection.
    fn share_of(&self, whole: Duration) -> Duration {
        whole.mul_f64(self.seat.fraction())
    }

    async fn tick(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        let config = &self.sockets.config;
        if now >= self.timers.deadline {
            return Err(Over::Close(match self.caller {
                None => Ending::InitTimeout,
                Some(_) => Ending::Forbidden("Access token expired"),
            }));
        }
        if now >= self.timers.last_heard + 2 * config.ping_interval {
            return Err(Over::Stuck);
        }
        if now >= self.timers.next_ping {
            self.timers.next_ping = now + config.ping_interval;
            let ping = self.session.ping(b"");
            return written(timeout(config.write_timeout, ping).await);
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        message: Option<Result<AggregatedMessage, ProtocolError>>,
    ) -> Result<(), Over> {
        self.timers.last_heard = Instant::now();
        match message {
            Some(Ok(AggregatedMessage::Text(text))) => match ClientMessage::parse(&text) {
                Some(message) => self.handle(message).await,
                None => Err(Over::Close(Ending::BadMessage)),
            },
            Some(Ok(AggregatedMessage::Binary(_))) => Err(Over::Close(Ending::BadMessage)),
            Some(Ok(AggregatedMessage::Ping(payload))) => {
                let pong = self.session.pong(&payload);
                written(timeout(self.sockets.config.write_timeout, pong).await)
            }
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
            Some(Ok(AggregatedMessage::Close(_))) | None => Err(Over::Gone),
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    async fn handle(&mut self, message: ClientMessage) -> Result<(), Over> {
        match message {
            ClientMessage::ConnectionInit { payload } => self.init(payload).await,
            ClientMessage::Ping { payload } => self.send(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong { .. } => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.subscribe(id, payload).await,
            ClientMessage::Complete { id } => {
                if let Some(operation) = self.running.remove(id.as_str()) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<Map<String, Value>>) -> Result<(), Over> {
        if self.caller.is_some() {
            return Err(Over::Close(Ending::TooManyInits));
        }
        let authorization = self.authorization(payload.as_ref())?;
        let authenticated = authenticate(&self.sockets.verifier, &authorization);
        let caller = match tokio::time::timeout_at(self.timers.deadline, authenticated).await {
            Ok(Ok(caller)) => caller,
            Ok(Err(NotAuthenticated::NotBearer | NotAuthenticated::Rejected(_))) => {
                return Err(Over::Close(Ending::Forbidden(
                    "The access token is not valid",
                )));
            }
            Ok(Err(NotAuthenticated::Unavailable(_))) | Err(_) => {
                return Err(Over::Close(Ending::TryAgainLater));
            }
        };
        let claim = self.sockets.admission.claim(caller.actor.user_id);
        if claim.is_none() {
            return Err(Over::Close(Ending::Forbidden("Too many connections")));
        }
        self.claim = claim;
        self.timers.deadline = Instant::now() + self.lifetime(&caller);
        self.revoked = {
            let (verifier, caller) = (self.sockets.verifier.clone(), Arc::clone(&caller));
            async move { verifier.until_revoked(&caller).await }.boxed()
        };
        self.caller = Some(caller);
        self.send(&ServerMessage::ConnectionAck).await
    }

    /// What the client says of itself; the cookie only if it says nothing.
    fn authorization(&mut self, payload: Option<&Map<String, Value>>) -> Result<String, Over> {
        let cookie = self.cookie.take();
        let said = ["Authorization", "authorization"]
            .iter()
            .find_map(|name| payload?.get(*name));
        match (said, cookie) {
            (Some(Value::String(authorization)), _) => Ok(authorization.clone()),
            (None, Some(token)) => Ok(format!("Bearer {token}")),
            (Some(_), _) | (None, None) => Err(Over::Close(Ending::Forbidden(
                "Send an access token: Authorization",
            ))),
        }
    }

    /// How long `caller` may stay.
    fn lifetime(&self, caller: &Caller) -> Duration {
        let remaining = expires_at(caller) - self.sockets.clock.now();
        let remaining = remaining.to_std().unwrap_or_default();
        match caller.actor.credential {
            Credential::ApiKey(_) => remaining.min(API_KEY_LIFETIME),
            Credential::Session(_) | Credential::ServiceAccount => remaining,
        }
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<(), Over> {
        let Some(caller) = self.caller.clone() else {
            return Err(Over::Close(Ending::Unauthorized));
        };
        if self.running.contains_key(id.as_str()) {
            return Err(Over::Close(Ending::SubscriberExists(id)));
        }
        if self.running.len() >= self.sockets.config.operations {
            let message = "Too many operations are running on this connection.";
            let error = error(Code::TooManyRequests.as_str(), message, Vec::new());
            return self.send_errors(&id, &[error]).await;
        }
        let engine = self.sockets.engine.clone();
        let prepared = engine.prepare(parameters);
        let cost = prepared.as_ref().map_or(REFUSED, Prepared::units);
        let limits = &self.sockets.limits;
        if let Err(too_many) = limits.spend(limits.user(&caller), cost).await {
            return self.send_errors(&id, &[too_many_error(&too_many)]).await;
        }
        let prepared = match prepared {
            Ok(prepared) => prepared.by(Some(caller)),
            Err(rejection) => return self.send_errors(&id, &rejection.errors).await,
        };
        let answers = match prepared.kind() {
            OperationKind::Subscription => engine.subscribe(prepared).boxed(),
            OperationKind::Query | OperationKind::Mutation => {
                // The connection belongs to no request: each of its operations is a trace of its own.
                let span = tracing::info_span!("graphql.operation", otel.kind = "server");
                let executed = async move { engine.execute(prepared).await };
                stream::once(executed.instrument(span)).boxed()
            }
        };
        self.start(id.into(), answers);
        Ok(())
    }

    fn start(&mut self, id: Arc<str>, answers: BoxStream<'static, Answer>) {
        let events = answers
            .map(Event::Answer)
            .chain(stream::once(async { Event::End }));
        let tag = Arc::clone(&id);
        let events = events.map(move |event| (Arc::clone(&tag), event)).boxed();
        let (events, handle) = stream::abortable(events);
        self.operations.push(events);
        self.running.insert(id, handle);
    }

    async fn deliver(&mut self, id: &str, event: Event) -> Result<(), Over> {
        match event {
            Event::Answer(answer) if answer.stage == Stage::Executed => {
                self.send(&ServerMessage::Next {
                    id,
                    payload: &answer,
                })
                .await
            }
            // Nothing was executed: an error ends the operation.
            Event::Answer(answer) => {
                if let Some(operation) = self.running.remove(id) {
                    operation.abort();
                }
                self.send_errors(id, &answer.errors).await
            }
            Event::End => {
                self.running.remove(id);
                self.send(&ServerMessage::Complete { id }).await
            }
        }
    }

    async fn send_errors(&mut self, id: &str, errors: &[ServerError]) -> Result<(), Over> {
        self.send(&ServerMessage::Error {
            id,
            payload: errors,
        })
        .await
    }

    async fn send(&mut self, message: &ServerMessage<'_>) -> Result<(), Over> {
        let Ok(text) = serde_json::to_string(message) else {
            return Err(Over::Close(Ending::BadMessage));
        };
        written(timeout(self.sockets.config.write_timeout, self.session.text(text)).await)
    }
}

impl Timers {
    /// When something is due next.
    fn next(&self) -> Instant {
        self.deadline.min(self.next_ping)
    }
}

/// The outcome of a write that was given a time limit.
fn written(
    outcome: Result<Result<(), actix_ws::Closed>, tokio::time::error::Elapsed>,
) -> Result<(), Over> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(actix_ws::Closed)) => Err(Over::Gone),
        Err(_) => Err(Over::Stuck),
    }
}

fn broken(error: &ProtocolError) -> Over {
    match error {
        ProtocolError::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            Over::Close(Ending::BadMessage)
        }
        // A message too long in fragments, or a lost connection: they look alike here, and a close
        // frame on a lost connection does no harm.
        ProtocolError::Overflow | ProtocolError::Io(_) => Over::Close(Ending::TooBig),
        _ => Over::Close(Ending::BadMessage),
    }
}
