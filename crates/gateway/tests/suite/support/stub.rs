//! A GraphQL endpoint over the stub schema.

use std::ops::Deref;
use std::sync::Arc;

use actix_web::web;
use gateway::graphql::engine::{Engine, EngineConfig};
use gateway::graphql::http::{Endpoint, HttpConfig, configure};
use gateway::graphql::websocket::{SocketConfig, Sockets};
use gateway::{Limits, LimitsConfig};
use kernel::ManualClock;
use service_kit::lifecycle::Shutdown;
use service_kit::rate_limit::Subjects;
use tokio::sync::mpsc;

use super::{Api, Socket, Tokens, schema};

#[derive(Default)]
pub struct Settings {
    pub engine: EngineConfig,
    pub http: HttpConfig,
    pub sockets: SocketConfig,
    pub limits: LimitsConfig,
}

pub struct Server {
    api: Api,
    pub tokens: Tokens,
    pub clock: ManualClock,
    pub shutdown: Shutdown,
    /// Tells of every subscription that ended, by name.
    pub ended: mpsc::UnboundedReceiver<&'static str>,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        let clock = ManualClock::starting_now();
        let tokens = Tokens::new(clock.clone());
        let shutdown = Shutdown::new();
        let (report, ended) = mpsc::unbounded_channel();
        let engine = Engine::new(schema::schema(report), settings.engine);
        let limits = limits(settings.limits, &clock);
        let endpoint = web::Data::new(Endpoint {
            engine: engine.clone(),
            verifier: tokens.verifier(),
            limits: limits.clone(),
            http: settings.http,
        });
        let write_timeout = settings.sockets.write_timeout;
        let sockets = web::Data::new(Sockets::new(
            engine,
            tokens.verifier(),
            limits,
            Arc::new(clock.clone()),
            shutdown.clone(),
            settings.sockets,
        ));
        let api = Api::serve_within(write_timeout, move |config| {
            config.configure(configure("/graphql", endpoint.clone(), sockets.clone()));
        });
        Self {
            api,
            tokens,
            clock,
            shutdown,
            ended,
        }
    }

    /// An initialised WebSocket connection.
    pub async fn socket(&self) -> Socket {
        let mut socket = Socket::open(&self.address).await;
        socket.init(&self.tokens.valid()).await;
        socket
    }
}

/// Limits counted in this process.
pub fn limits(config: LimitsConfig, clock: &ManualClock) -> Limits {
    let secret = b"a secret of at least 32 bytes ..";
    let subjects = Subjects::in_memory(secret, Arc::new(clock.clone()));
    Limits::new(config, &subjects)
}

impl Deref for Server {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}
