//! The listener of its own, which the public does not reach.

use std::{net::TcpListener, sync::Arc, time::Duration};

use service_kit::{health::Readiness, lifecycle::Shutdown, problem::chain};
use tokio_util::sync::CancellationToken;
use tonic::{
    server::NamedService as _,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};
use user_directory::v1::user_directory_server::UserDirectoryServer;

use super::directory::Directory;

/// Calls at a time on one connection.
const MAX_STREAMS: u32 = 128;
/// Of a request's metadata, in bytes.
const MAX_METADATA: u32 = 16 * 1024;
/// How often a silent client is asked whether it is still there, and how long it may think.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// After so long a client connects again, and finds replicas that are new.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(10 * 60);
/// Calls that are in hand then may take so long to end.
const CONNECTION_GRACE: Duration = Duration::from_secs(10);
/// How often the health service asks whether the process is ready.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);

/// Serves `services` and `grpc.health.v1` until the process stops. Needs a Tokio runtime.
///
/// # Errors
/// If the listener can't be used.
pub(crate) fn serve(
    services: Routes,
    listener: TcpListener,
    readiness: Arc<Readiness>,
    shutdown: &Shutdown,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let reporter = HealthReporter::new();
    let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    let serving = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_METADATA)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .max_connection_age(MAX_CONNECTION_AGE)
        .max_connection_age_grace(CONNECTION_GRACE)
        .add_routes(services.add_service(health))
        .serve_with_incoming_shutdown(incoming, shutdown.soft().cancelled_owned());
    shutdown.spawn("auth grpc", async move {
        if let Err(error) = serving.await {
            tracing::error!(cause = chain(&error), "gRPC is not served any more");
        }
    });
    let reporting = report_health(reporter, readiness, shutdown.soft());
    shutdown.spawn("auth grpc health", reporting);
    Ok(())
}

/// Says what `/health/ready` says.
async fn report_health(
    reporter: HealthReporter,
    readiness: Arc<Readiness>,
    stop: CancellationToken,
) {
    let mut interval = tokio::time::interval(HEALTH_INTERVAL);
    loop {
        let status = if readiness.is_ready().await {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        // The empty name stands for the whole server.
        for service in ["", UserDirectoryServer::<Directory>::NAME] {
            reporter.set_service_status(service, status).await;
        }
        if stop.is_cancelled() {
            return;
        }
        // Once more at the end: a process that stops is not ready.
        stop.run_until_cancelled(interval.tick()).await;
    }
}
