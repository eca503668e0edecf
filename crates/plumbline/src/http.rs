//! The server: every route of the role behind the same headers, telemetry and limits.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web,
};
use service_kit::{
    client_address::TrustedProxies, health, mail::dev_mailbox_routes, request_telemetry,
    routes::not_found, security_headers, security_headers::StrictTransportSecurity, telemetry,
};
use tokio::task::JoinHandle;

use crate::{Role, cors, services::Services, settings::Settings};

/// How long a client may take to send a request's head.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections for requests, on each of the server's threads: WebSockets come on top, so that they
/// never shut requests out.
const MAX_REQUEST_CONNECTIONS: usize = 10_000;

/// Serves until its handle stops it.
pub(crate) fn serve(
    listener: TcpListener,
    services: &Services,
    settings: &Settings,
) -> io::Result<(ServerHandle, JoinHandle<io::Result<()>>)> {
    let readiness = Arc::clone(&services.readiness);
    let auth = services.auth.clone();
    let gateway = services.gateway.clone();
    let mailbox = services.mailbox.clone();
    let role = services.role;
    let strict = web::Data::new(StrictTransportSecurity(
        services.public_url.scheme() == "https",
    ));
    let proxies = TrustedProxies::parse(&settings.server.trusted_proxies);
    let proxies = web::Data::new(proxies.map_err(io::Error::other)?);
    let allowed_origins = settings.server.allowed_origins.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(strict.clone())
            .app_data(proxies.clone())
            .configure(health::configure(Arc::clone(&readiness)))
            .configure(|config| {
                if role == Role::All {
                    telemetry::metrics_routes().configure(config);
                }
                if let Some(mailbox) = mailbox.clone() {
                    dev_mailbox_routes()
                        .app_data(web::Data::new(mailbox))
                        .configure(config);
                }
                if let Some(auth) = &auth {
                    auth.configure(config);
                }
                if let Some(gateway) = &gateway {
                    gateway.configure(config);
                }
            })
            .default_service(web::to(not_found))
            .wrap(cors::allow(&allowed_origins))
            .wrap(from_fn(request_telemetry::record))
            .wrap(from_fn(security_headers::add))
    });
    let server = match settings.server.workers {
        0 => server,
        workers => server.workers(workers),
    };
    let server = server
        .on_connect(gateway::prepare_socket(
            settings.gateway.websocket.write_timeout(),
        ))
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .max_connections(MAX_REQUEST_CONNECTIONS + settings.gateway.websocket.connections as usize)
        .shutdown_timeout(settings.server.shutdown_seconds)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(spawn(server))
}

/// Serves `/metrics` alone, on a port that the public does not reach.
pub(crate) fn serve_metrics(
    listener: TcpListener,
) -> io::Result<(ServerHandle, JoinHandle<io::Result<()>>)> {
    let server = HttpServer::new(|| {
        App::new()
            .configure(|config| telemetry::metrics_routes().configure(config))
            .default_service(web::to(not_found))
            .wrap(from_fn(request_telemetry::record))
            .wrap(from_fn(security_headers::add))
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(spawn(server))
}

fn spawn(server: Server) -> (ServerHandle, JoinHandle<io::Result<()>>) {
    (server.handle(), tokio::spawn(server))
}
