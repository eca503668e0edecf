//! The payment double: inside the embedded mode's process, or as a process of its own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use kernel::{SharedClock, SystemClock};
use payment_double::{DoubleConfig, PaymentDouble, Running, StartError};
use secrecy::SecretString;
use service_kit::lifecycle::{Shutdown, Signals};
use url::Url;

use crate::settings::Settings;

#[derive(Debug, thiserror::Error)]
pub enum DoubleFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the webhook's address is not a URL")]
    WebhookUrl(#[from] url::ParseError),
    #[error("can't wait for signals")]
    Signals(#[source] std::io::Error),
}

/// Starts the double on a free port of the loopback interface. It sends its webhooks to `addr`
/// and keeps its ledger beside the databases, so that it, too, survives a crash.
pub(crate) fn start_inside(
    settings: &Settings,
    addr: SocketAddr,
    clock: SharedClock,
    shutdown: &Shutdown,
) -> Result<Running, DoubleFailed> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let reachable = if addr.ip().is_unspecified() {
        loopback
    } else {
        addr.ip()
    };
    let gateway = SocketAddr::new(reachable, addr.port());
    let mut config = config(settings, SocketAddr::new(loopback, 0));
    config.webhook_url = Some(Url::parse(&format!("http://{gateway}/webhooks/stripe"))?);
    config.journal = Some(settings.storage.data_dir.join("payments.jsonl"));
    Ok(PaymentDouble::start(config, clock, shutdown.soft())?)
}

/// `plumbline payment-double`: runs until it is told to stop.
pub(crate) async fn run(
    settings: &Settings,
    bind: SocketAddr,
    webhook_url: Option<Url>,
    journal: Option<PathBuf>,
) -> Result<(), DoubleFailed> {
    let signals = Signals::listen().map_err(DoubleFailed::Signals)?;
    let shutdown = Shutdown::new();
    let mut config = config(settings, bind);
    config.webhook_url = webhook_url;
    config.journal = journal;
    let clock = std::sync::Arc::new(SystemClock);
    let running = PaymentDouble::start(config, clock, shutdown.soft())?;
    tracing::info!(url = running.base_url(), "the payment double is ready");
    shutdown.signalled(signals).await;
    running.stopped().await;
    Ok(())
}

fn config(settings: &Settings, bind: SocketAddr) -> DoubleConfig {
    let webhook_secret = settings
        .payment
        .webhook_secrets
        .first()
        .cloned()
        .unwrap_or_default();
    DoubleConfig::new(
        bind,
        SecretString::from(settings.payment.secret_key.clone()),
        SecretString::from(webhook_secret),
    )
}
