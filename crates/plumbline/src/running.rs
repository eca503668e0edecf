//! Puts a process together for its role, and takes it apart again in good order.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use actix_web::dev::ServerHandle;
use auth::{
    AuthError, InvalidEncryptionKey, InvalidSigningAlgorithm, InvalidTokenSecret, SeedError,
};
use kernel::SharedClock;
use messaging::{Broker, UnknownQueue};
use orders::OrderError;
use payment::StripeConfigError;
use service_kit::{lifecycle::Shutdown, mail::InvalidSmtpConfig, telemetry};
use tokio::{
    net::TcpSocket,
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use url::Url;

use crate::{
    http,
    payment_double::{self, DoubleFailed},
    resources::Resources,
    services::Services,
    settings::{InvalidAccount, Settings},
    trusted_documents::TrustedDocumentsFailed,
};

/// Connections that have been made and not been accepted yet.
const BACKLOG: u32 = 1024;
/// How long closing the connections to databases and broker may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// What this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in one process: the embedded mode, when the addresses are those of the defaults.
    All,
    Auth,
    Gateway,
    Worker,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "plumbline",
            Self::Auth => "auth",
            Self::Gateway => "gateway",
            Self::Worker => "worker",
        }
    }

    #[must_use]
    pub const fn has_auth(self) -> bool {
        matches!(self, Self::All | Self::Auth)
    }

    #[must_use]
    pub const fn has_gateway(self) -> bool {
        matches!(self, Self::All | Self::Gateway)
    }

    #[must_use]
    pub const fn has_worker(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// Why the process could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("can't listen on {addr}: {}", hint(.source))]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("can't create the data folder {}", .folder.display())]
    DataDir { folder: PathBuf, source: io::Error },
    #[error("can't connect to the {context} database")]
    Database {
        context: &'static str,
        source: database::ConnectError,
    },
    #[error("can't migrate the {context} database")]
    Migrate {
        context: &'static str,
        source: migrations::DbErr,
    },
    #[error("the {context} database lacks {pending} migrations: run `plumbline migrate up`")]
    Unmigrated {
        context: &'static str,
        pending: usize,
    },
    #[error(transparent)]
    Broker(#[from] messaging::ConnectError),
    #[error(transparent)]
    Queue(#[from] UnknownQueue),
    #[error(transparent)]
    Cache(#[from] cache::CacheError),
    #[error(transparent)]
    Mail(#[from] InvalidSmtpConfig),
    #[error("can't start auth")]
    Auth(#[from] AuthError),
    #[error("auth.encryption_key is not valid")]
    EncryptionKey(#[from] InvalidEncryptionKey),
    #[error("auth.token_secret is not valid")]
    TokenSecret(#[from] InvalidTokenSecret),
    #[error("auth.signing_algorithm is not valid")]
    SigningAlgorithm(#[from] InvalidSigningAlgorithm),
    #[error("a client_id or a client_secret is not valid")]
    Account(#[from] InvalidAccount),
    #[error("server.public_url is not a URL")]
    PublicUrl,
    #[error("{0} is not a URL")]
    Url(&'static str, #[source] url::ParseError),
    #[error("can't set up an HTTP client")]
    HttpClient(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("can't set up the payment provider")]
    Payment(#[from] StripeConfigError),
    #[error("can't start the payment double")]
    Double(#[from] DoubleFailed),
    #[error("can't read or write orders")]
    Orders(#[from] OrderError),
    #[error(transparent)]
    TrustedDocuments(#[from] TrustedDocumentsFailed),
    #[error(transparent)]
    Demo(#[from] SeedError),
}

fn hint(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is taken; choose another with --port".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this port needs privileges; choose one above 1023".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; see --host".to_owned()
        }
        _ => error.to_string(),
    }
}

/// A process at work.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    pub public_url: Url,
    /// The payment provider, or the double inside this process.
    pub payment_url: String,
    shutdown: Shutdown,
    deadline: Duration,
    servers: Vec<(ServerHandle, JoinHandle<io::Result<()>>)>,
    double: Option<::payment_double::Running>,
    resources: Resources,
}

/// Connects, migrates when embedded, and starts everything that belongs to the role.
pub async fn start(
    mut settings: Settings,
    role: Role,
    clock: SharedClock,
) -> Result<Running, StartError> {
    // First of all, so that a taken port is found before anything is written.
    let (socket, addr) = bind(SocketAddr::new(settings.server.host, settings.server.port))?;
    settings.server.port = addr.port();
    let metrics = match settings.server.metrics_port {
        0 => None,
        _ if role == Role::All => None,
        port => Some(bind(SocketAddr::new(settings.server.host, port))?),
    };
    let grpc = match settings.auth.grpc_port {
        port @ 1.. if role == Role::Auth => {
            Some(bind(SocketAddr::new(settings.server.host, port))?)
        }
        _ => None,
    };
    if role == Role::All {
        let folder = &settings.storage.data_dir;
        std::fs::create_dir_all(folder).map_err(|source| StartError::DataDir {
            folder: folder.clone(),
            source,
        })?;
    }
    let shutdown = Shutdown::new();
    let double = match settings.payment.url.as_str() {
        "double:" if role == Role::All => {
            let double = payment_double::start_inside(&settings, addr, clock.clone(), &shutdown)?;
            settings.payment.url = double.base_url();
            Some(double)
        }
        _ => None,
    };
    let resources = Resources::connect(&settings, role, clock, &shutdown).await?;
    let services = Services::build(&settings, role, &resources, &shutdown).await?;
    let serving = |source| StartError::Listen { addr, source };
    let listener = listen(socket).map_err(serving)?;
    let mut servers = vec![http::serve(listener, &services, &settings).map_err(serving)?];
    if let Some((socket, addr)) = metrics {
        let serving = |source| StartError::Listen { addr, source };
        let listener = listen(socket).map_err(serving)?;
        servers.push(http::serve_metrics(listener).map_err(serving)?);
    }
    if let Some((socket, addr)) = grpc {
        let serving = |source| StartError::Listen { addr, source };
        let listener = listen(socket).map_err(serving)?;
        services.serve_grpc(listener, &shutdown).map_err(serving)?;
    }
    let public_url = services.public_url.clone();
    services.spawn_background(&shutdown).await?;
    shutdown.spawn("metrics", telemetry::metrics_upkeep(shutdown.soft()));
    Ok(Running {
        addr,
        public_url,
        payment_url: settings.payment.url,
        deadline: Duration::from_secs(settings.server.shutdown_seconds),
        shutdown,
        servers,
        double,
        resources,
    })
}

/// Takes the address, whose port is told if it was 0. Nobody can connect before [`listen`]: who
/// asks a process that still waits for its database is refused at once, and not left hanging.
fn bind(addr: SocketAddr) -> Result<(TcpSocket, SocketAddr), StartError> {
    let bound = || {
        let socket = if addr.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // Connections of an earlier process may linger in TIME_WAIT.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let addr = socket.local_addr()?;
        Ok((socket, addr))
    };
    bound().map_err(|source| StartError::Listen { addr, source })
}

fn listen(socket: TcpSocket) -> io::Result<std::net::TcpListener> {
    socket.listen(BACKLOG)?.into_std()
}

impl Running {
    #[must_use]
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The broker, to look at what it holds.
    #[must_use]
    pub fn broker(&self) -> &Broker {
        &self.resources.broker
    }

    /// Stops: no new requests, then the background tasks, then the connections. What does not end
    /// in time is dropped; nothing is lost by that, only repeated.
    pub async fn stop(self) {
        self.shutdown.begin();
        let deadline = Instant::now() + self.deadline;
        let draining = self.servers.iter().map(|(handle, _)| handle.stop(true));
        let drained = timeout_at(deadline, futures_util::future::join_all(draining));
        if drained.await.is_err() {
            tracing::warn!("requests were still in hand at the deadline");
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if !self.shutdown.finish(left).await {
            tracing::warn!("background tasks were still at work at the deadline");
        }
        let closing = async {
            if let Some(double) = self.double {
                double.stopped().await;
            }
            self.resources.close().await;
        };
        if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            tracing::warn!("connections were not closed in good order");
        }
    }
}
