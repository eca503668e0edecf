//! A gateway endpoint over a stub schema, on a free port.

mod schema;
mod socket;
mod tokens;

use std::sync::Arc;

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use gateway::graphql::engine::{Engine, EngineConfig};
use gateway::graphql::http::{Endpoint, HttpConfig, configure};
use gateway::graphql::websocket::{SocketConfig, Sockets, remember_socket};
use kernel::ManualClock;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use service_kit::lifecycle::Shutdown;
use tokio::sync::mpsc;

pub use socket::{Closed, Socket};
pub use tokens::Tokens;

pub const MODERN: &str = "application/graphql-response+json";

#[derive(Default)]
pub struct Settings {
    pub engine: EngineConfig,
    pub http: HttpConfig,
    pub sockets: SocketConfig,
}

/// A running endpoint; stopped when dropped.
pub struct Server {
    pub address: String,
    pub tokens: Tokens,
    pub clock: ManualClock,
    pub shutdown: Shutdown,
    /// Tells of every subscription that ended, by name.
    pub ended: mpsc::UnboundedReceiver<&'static str>,
    client: Client,
    handle: ServerHandle,
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
        let endpoint = web::Data::new(Endpoint {
            engine: engine.clone(),
            verifier: tokens.verifier(),
            http: settings.http,
        });
        let sockets = web::Data::new(Sockets::new(
            engine,
            tokens.verifier(),
            Arc::new(clock.clone()),
            shutdown.clone(),
            settings.sockets,
        ));
        let server = HttpServer::new(move || {
            App::new().configure(configure("/graphql", endpoint.clone(), sockets.clone()))
        })
        .on_connect(remember_socket)
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = server.addrs()[0].to_string();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            address,
            tokens,
            clock,
            shutdown,
            ended,
            client: Client::new(),
            handle,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    pub fn get(&self, query: &[(&str, &str)]) -> RequestBuilder {
        self.client.get(self.url()).query(query)
    }

    pub fn request(&self, method: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url())
    }

    /// A POST of a GraphQL request that accepts the newer media type.
    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.request("POST").header("accept", MODERN).json(body)
    }

    pub async fn query(&self, query: &str) -> Reply {
        Reply::read(self.post(&json!({ "query": query })).send().await.unwrap()).await
    }

    /// An initialised WebSocket connection.
    pub async fn socket(&self) -> Socket {
        let mut socket = Socket::open(&self.address).await;
        socket.init(&self.tokens.valid()).await;
        socket
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopping begins at the call; nobody waits for its end.
        drop(self.handle.stop(false));
    }
}

/// An answer's status, media type and body.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub allow: String,
    pub body: Value,
}

impl Reply {
    pub async fn read(response: Response) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (content_type, allow) = (header("content-type"), header("allow"));
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self {
            status,
            content_type,
            allow,
            body,
        }
    }

    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or("no code")
    }

    /// Asserts a request error: this status and code, and no `data`.
    #[track_caller]
    pub fn refuses(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        assert!(self.body.get("data").is_none(), "{self:?}");
    }
}
