//! Logs, traces and metrics of the process. Set up once, in `main`, and flushed at its end.

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use actix_web::HttpResponse;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::routes::{Access, RouteTable};

/// The standard variable (OpenTelemetry, "OTLP Exporter Configuration") that turns tracing on.
const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Seconds. The objective is 200 ms, so the buckets are narrow around it.
const LATENCY_BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0,
];

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the log filter `{0}` is not valid (for example: info,sqlx=warn)")]
    Filter(String, #[source] tracing_subscriber::filter::ParseError),
    #[error("can't set up the OTLP exporter: check {OTLP_ENDPOINT}")]
    Exporter(#[from] ExporterBuildError),
    #[error("can't set up metrics")]
    Metrics(#[from] BuildError),
}

/// Whether [`Telemetry::start`] would take this filter.
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    parse_filter(filter).map(drop)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter(filter.to_owned(), error))
}

/// Keeps telemetry alive; dropping it sends what is still buffered.
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Pretty logs on a terminal, JSON otherwise; traces only when [`OTLP_ENDPOINT`] is set.
    pub fn start(service: &str, filter: &str) -> Result<Self, TelemetryError> {
        let filter = parse_filter(filter)?;
        let provider = match std::env::var_os(OTLP_ENDPOINT) {
            Some(_) => Some(otlp_provider(service)?),
            None => None,
        };
        let traces = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("plumbline"))
        });
        let logs = if std::io::stderr().is_terminal() {
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .compact()
                .boxed()
        } else {
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .json()
                .boxed()
        };
        // A second start in one process (tests) keeps the first subscriber.
        let _ = tracing_subscriber::registry()
            .with(filter)
            .with(traces)
            .with(logs)
            .try_init();
        metrics_handle()?;
        Ok(Self { provider })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

fn otlp_provider(service: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .build()?;
    let resource = Resource::builder()
        .with_service_name(format!("plumbline-{service}"))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}

/// The process's metrics, for [`render_metrics`]; installed at the first call.
fn metrics_handle() -> Result<&'static PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(&LATENCY_BUCKETS)?
        .install_recorder()?;
    Ok(HANDLE.get_or_init(|| handle))
}

/// `GET /metrics`, in Prometheus's text format.
async fn render_metrics() -> HttpResponse {
    match metrics_handle() {
        Ok(handle) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(handle.render()),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}

#[must_use]
pub fn metrics_routes() -> RouteTable {
    RouteTable::new("").get("/metrics", Access::Public, render_metrics)
}

/// Folds what was recorded into the histograms, so that memory stays bounded when nobody scrapes.
pub async fn metrics_upkeep(stop: tokio_util::sync::CancellationToken) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = every.tick() => if let Ok(handle) = metrics_handle() { handle.run_upkeep() },
            () = stop.cancelled() => return,
        }
    }
}
