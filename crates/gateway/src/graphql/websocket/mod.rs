//! GraphQL over WebSocket by the graphql-transport-ws protocol, to the letter
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>). Its predecessor, the
//! `graphql-ws` subprotocol of subscriptions-transport-ws, is refused.
//!
//! One task a connection reads messages, polls its subscriptions and writes. While a write waits,
//! nothing else is polled: a slow client slows its own subscriptions, whose sources keep the
//! newest state only, and after a deadline it is cut.

mod admission;
mod connection;
mod protocol;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    guard::GuardContext,
    http::header::{self, HeaderValue},
    web,
};
use contracts::{ACCESS_TOKEN_COOKIE, ErrorCode};
use kernel::SharedClock;
use service_kit::{
    access_token::Verifier, browser::OwnOrigin, client_address::ClientAddress, lifecycle::Shutdown,
    problem::Problem,
};

use super::checked::CheckedExecutor;
use super::engine::Engine;
use crate::limits::{Limits, REFUSED};
use admission::Admission;
use connection::Connection;
use protocol::SUBPROTOCOL;

pub use socket::prepare_socket;

/// Bounds of the WebSocket transport.
#[derive(Debug, Clone)]
pub struct SocketConfig {
    /// Connections to this process.
    pub connections: usize,
    /// Connections of one user to this process.
    pub connections_per_user: usize,
    /// Operations running at once on one connection.
    pub operations: usize,
    /// The longest message, in bytes.
    pub message_bytes: usize,
    /// How long a client may take to send `connection_init`.
    pub init_timeout: Duration,
    /// How long a write may wait for the client to read; see [`prepare_socket`].
    pub write_timeout: Duration,
    /// A ping is sent this often; a client silent for two of these is cut.
    pub ping_interval: Duration,
    /// On shutdown connections are closed spread over this time, so that neither this process nor
    /// its clients have everything to do at once.
    pub drain: Duration,
    /// And clients are told to come back spread over this time.
    pub reconnect_within: Duration,
    /// Where pages may use the cookie with the access token.
    pub own_origin: OwnOrigin,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_user: 20,
            operations: 100,
            message_bytes: 100 * 1024,
            init_timeout: Duration::from_secs(3),
            write_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            drain: Duration::from_secs(1),
            reconnect_within: Duration::from_secs(10),
            own_origin: OwnOrigin::default(),
        }
    }
}

/// What every connection shares.
pub struct Sockets<E> {
    engine: Engine<E>,
    verifier: Verifier,
    limits: Limits,
    clock: SharedClock,
    shutdown: Shutdown,
    config: SocketConfig,
    admission: Admission,
}

impl<E: CheckedExecutor> Sockets<E> {
    /// Takes connections until `shutdown` begins.
    pub fn new(
        engine: Engine<E>,
        verifier: Verifier,
        limits: Limits,
        clock: SharedClock,
        shutdown: Shutdown,
        config: SocketConfig,
    ) -> Self {
        let admission = Admission::new(config.connections, config.connections_per_user);
        Self {
            engine,
            verifier,
            limits,
            clock,
            shutdown,
            config,
            admission,
        }
    }
}

/// Whether a GET asks for a WebSocket.
pub(super) fn is_upgrade(context: &GuardContext<'_>) -> bool {
    let upgrade = context.head().headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a connection and serves it in a task of this worker.
pub(super) async fn open<E: CheckedExecutor>(
    request: HttpRequest,
    body: web::Payload,
    sockets: web::Data<Sockets<E>>,
) -> Result<HttpResponse, actix_web::Error> {
    if !offers_subprotocol(&request) {
        let detail = format!("The only subprotocol served here is {SUBPROTOCOL}.");
        return Err(Problem::new(ErrorCode::MalformedRequest)
            .detail(detail)
            .into());
    }
    let limits = &sockets.limits;
    let opener = limits.client(ClientAddress::of(&request));
    limits.spend(opener, REFUSED).await.map_err(Problem::from)?;
    let stopping = sockets.shutdown.soft().is_cancelled();
    let seat = if stopping {
        None
    } else {
        sockets.admission.take_seat()
    };
    let Some(seat) = seat else {
        let problem = Problem::new(ErrorCode::Unavailable).retry_after(Duration::from_secs(1));
        return Err(problem
            .detail("No further connection is taken here now.")
            .into());
    };
    let seat = Arc::new(seat);
    socket::occupy(&request, &seat);
    let cookie = cookie_token(&request, &sockets.config.own_origin);
    let (response, session, messages) =
        actix_ws::handle_with_protocols(&request, body, &[SUBPROTOCOL])?;
    let limit = sockets.config.message_bytes;
    let messages = messages
        .max_frame_size(limit)
        .aggregate_continuations()
        .max_continuation_size(limit);
    let sockets = sockets.into_inner();
    let connection = Connection::new(Arc::clone(&sockets), session, seat, cookie);
    let serving = sockets
        .shutdown
        .tracked("websocket", connection.serve(messages));
    actix_web::rt::spawn(serving);
    Ok(response)
}

/// The access token of the cookie. A browser adds it to the handshake of whatever page, so only a
/// page of ours may use it; a client that gives its token in `connection_init` needs no such check,
/// because no other site knows that.
fn cookie_token(request: &HttpRequest, own_origin: &OwnOrigin) -> Option<String> {
    let cookie = request.cookie(ACCESS_TOKEN_COOKIE)?;
    own_origin.sent(request).then(|| cookie.value().to_owned())
}

fn offers_subprotocol(request: &HttpRequest) -> bool {
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    offered
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == SUBPROTOCOL)
}
