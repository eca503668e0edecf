//! One connection that is kept up for ever.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, pin_mut};
use lapin::{Connection, ConnectionProperties, Event, uri::AMQPUri};
use metrics::{counter, gauge};
use tokio::{sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{COMMAND_TIMEOUT, channel::OwnedChannel, topology::Topology};
use crate::backoff::Backoff;

const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// A connection that held this long was a good one: the next retry is quick again.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// The handshake and the declarations together.
const SETUP_TIMEOUT: Duration = Duration::from_secs(15);
const STATUS_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A supervised connection: users take the [`Live`] one of the moment, or wait for the next.
pub(super) struct Link {
    state: watch::Receiver<State>,
}

/// A connection that was up when it was handed out.
pub(super) struct Live {
    connection: Connection,
    lost: CancellationToken,
}

enum State {
    Down { last_error: Option<lapin::Error> },
    Up(Arc<Live>),
}

impl Link {
    pub(super) fn start(
        name: &'static str,
        uri: &AMQPUri,
        topology: &Arc<Topology>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let (sender, state) = watch::channel(State::Down { last_error: None });
        let supervisor = Supervisor {
            name,
            uri: uri.clone(),
            topology: Arc::clone(topology),
            state: sender,
        };
        let stop = stop.clone();
        tasks.spawn(async move { supervisor.run(stop).await });
        Self { state }
    }

    pub(super) fn current(&self) -> Option<Arc<Live>> {
        match &*self.state.borrow() {
            State::Up(live) if live.is_up() => Some(Arc::clone(live)),
            State::Up(_) | State::Down { .. } => None,
        }
    }

    /// Waits for a connection; `None` when the supervisor has stopped.
    pub(super) async fn ready(&self) -> Option<Arc<Live>> {
        let mut state = self.state.clone();
        let up = |state: &State| matches!(state, State::Up(live) if live.is_up());
        match &*state.wait_for(up).await.ok()? {
            State::Up(live) => Some(Arc::clone(live)),
            State::Down { .. } => None,
        }
    }

    pub(super) fn last_error(&self) -> Option<lapin::Error> {
        match &*self.state.borrow() {
            State::Down { last_error } => last_error.clone(),
            State::Up(_) => None,
        }
    }
}

impl Live {
    pub(super) async fn open_channel(&self) -> lapin::Result<OwnedChannel> {
        OwnedChannel::open(&self.connection).await
    }

    /// Gives the connection up: whoever finds it broken tells the supervisor.
    pub(super) fn condemn(&self) {
        self.lost.cancel();
    }

    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    pub(super) fn is_up(&self) -> bool {
        !self.lost.is_cancelled() && self.connection.status().connected()
    }

    /// Whether the broker has told us that it reads nothing for now.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }
}

struct Supervisor {
    name: &'static str,
    uri: AMQPUri,
    topology: Arc<Topology>,
    state: watch::Sender<State>,
}

impl Supervisor {
    async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
        while let Some(attempt) = stop.run_until_cancelled(self.open()).await {
            match attempt {
                Ok(live) => {
                    let since = tokio::time::Instant::now();
                    self.stay_up(&live, &stop).await;
                    if since.elapsed() > STABLE_AFTER {
                        backoff.reset();
                    }
                }
                Err(error) => {
                    tracing::warn!(connection = self.name, %error, "can't connect to RabbitMQ");
                    let last_error = Some(error);
                    self.state.send_replace(State::Down { last_error });
                }
            }
            let pause = tokio::time::sleep(backoff.next_delay());
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    async fn open(&self) -> lapin::Result<Arc<Live>> {
        let name = format!("plumbline {}", self.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let setup = async {
            let connection = Connection::connect_uri(self.uri.clone(), properties).await?;
            let channel = OwnedChannel::open(&connection).await?;
            self.topology.declare(&channel).await?;
            Ok::<_, lapin::Error>(connection)
        };
        let no_answer = |_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        let connection = timeout(SETUP_TIMEOUT, setup)
            .await
            .unwrap_or_else(no_answer)?;
        Ok(Arc::new(Live {
            connection,
            lost: CancellationToken::new(),
        }))
    }

    /// Publishes the connection until it is lost or the process stops, then closes it.
    async fn stay_up(&self, live: &Arc<Live>, stop: &CancellationToken) {
        tracing::info!(connection = self.name, "connected to RabbitMQ");
        counter!("plumbline_broker_connects_total", "connection" => self.name).increment(1);
        gauge!("plumbline_broker_connected", "connection" => self.name).set(1.0);
        gauge!("plumbline_broker_blocked", "connection" => self.name).set(0.0);
        self.state.send_replace(State::Up(Arc::clone(live)));
        let stopping = stop.run_until_cancelled(self.watch(live)).await.is_none();
        live.condemn();
        self.state.send_replace(State::Down { last_error: None });
        gauge!("plumbline_broker_connected", "connection" => self.name).set(0.0);
        let close = close(Arc::clone(live));
        if stopping {
            close.await;
        } else {
            tracing::warn!(connection = self.name, "the connection to RabbitMQ is lost");
            tokio::spawn(close);
        }
    }

    /// Returns when the connection is gone or was given up.
    async fn watch(&self, live: &Live) {
        let events = live.connection.events_listener();
        pin_mut!(events);
        while live.is_up() {
            let event = tokio::select! {
                event = events.next() => event,
                () = live.lost() => return,
                // Not every way to lose a connection is an event.
                () = tokio::time::sleep(STATUS_CHECK_INTERVAL) => continue,
            };
            match event {
                Some(Event::ConnectionBlocked(reason)) => {
                    tracing::warn!(connection = self.name, reason, "RabbitMQ blocks publishing");
                    gauge!("plumbline_broker_blocked", "connection" => self.name).set(1.0);
                }
                Some(Event::ConnectionUnblocked) => {
                    gauge!("plumbline_broker_blocked", "connection" => self.name).set(0.0);
                }
                Some(Event::Error(error)) => {
                    tracing::warn!(connection = self.name, %error, "RabbitMQ connection error");
                }
                Some(_) => {}
                None => return,
            }
        }
    }
}

/// What was sent before, acknowledgements above all, goes out first.
async fn close(live: Arc<Live>) {
    if live.connection.status().connected() {
        let close = live.connection.close(200, "OK".into());
        if !matches!(timeout(COMMAND_TIMEOUT, close).await, Ok(Ok(()))) {
            tracing::debug!("RabbitMQ did not confirm the close");
        }
    }
}
