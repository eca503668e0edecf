//! What a drill does to the system.

use std::time::Duration;

use fail_points::{FAIL_POINT, FailPoint};
use serde_json::{Value, json};
use testkit::process::Signal;
use testkit::proxy::{self, Proxy};
use testkit::services::{RabbitMq, ServiceError, Services};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::customers::expect;
use super::http::Request;
use super::random::Random;
use super::redelivery::{self, Redelivery};
use crate::command::Failure;
use crate::load::setup::{PROVIDER, PROVIDER_KEY};
use crate::load::system::System;

/// How long something stays away or broken.
const HOLD: Duration = Duration::from_secs(4);
/// How long the system may take to reach the point at which it is to fail.
const PATIENCE: Duration = Duration::from_secs(60);
/// Within the broker's namespace.
pub const SAGA_QUEUE: &str = "orders.saga";
/// The last passing of a fail point at which a drill may fail.
const HITS: u32 = 6;

/// How a process fails at a fail point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The process is gone, and is started again.
    Abort,
    /// One task of it is gone.
    Panic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Postgres,
    Redis,
    RabbitMq,
}

/// The way from all roles to one thing they depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    To(Server),
    ToProvider,
}

/// A role is named as in [`System::role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// None but what the customers do.
    Customers,
    /// A process fails at the worst moment.
    FailPoint(FailPoint, &'static str, Action),
    /// `kill -9`, and a new start.
    Kill(&'static str),
    /// SIGSTOP, and SIGCONT: as a machine that stands still.
    Freeze(&'static str),
    /// SIGTERM to one gateway and worker after another, each started again before the next.
    RollingRestart,
    KillServer(Server),
    Network(Link, proxy::Fault),
    /// Switches of the payment double, as JSON, until the orders are at their ends.
    Provider(&'static str),
    Redelivery(Redelivery),
    MemoryAlarm,
    QueueDeleted,
}

impl Fault {
    /// Before the load: what must be in place when it begins.
    ///
    /// # Errors
    /// When the system does not obey.
    pub async fn prepare(self, system: &mut System, random: &mut Random) -> Result<(), Failure> {
        match self {
            Self::FailPoint(point, role, action) => {
                let action = match action {
                    Action::Abort => "abort",
                    Action::Panic => "panic",
                };
                let hit = 1 + random.below(HITS);
                let value = format!("{}={action}@{hit}", point.as_str());
                let role = system.role(role)?;
                role.process.command().env(FAIL_POINT, value);
                role.start().await
            }
            Self::Provider(switches) => {
                let switches = serde_json::from_str(switches);
                switch(system, &switches.map_err(std::io::Error::other)?).await
            }
            Self::Redelivery(redelivery) => redelivery::prepare(redelivery, system).await,
            Self::Customers
            | Self::Kill(_)
            | Self::RollingRestart
            | Self::Freeze(_)
            | Self::KillServer(_)
            | Self::Network(..)
            | Self::MemoryAlarm
            | Self::QueueDeleted => Ok(()),
        }
    }

    /// Whether it is injected when some orders have been accepted. A process that fails at a fail
    /// point does so at its own time.
    pub fn waits_for_orders(self) -> bool {
        !matches!(self, Self::FailPoint(..))
    }

    /// While the load runs: returns when the system can recover.
    ///
    /// # Errors
    /// When the system does not obey.
    pub async fn inject(self, system: &mut System) -> Result<(), Failure> {
        match self {
            Self::Customers | Self::Provider(_) | Self::FailPoint(_, _, Action::Panic) => Ok(()),
            Self::FailPoint(_, role, Action::Abort) => {
                let role = system.role(role)?;
                role.process.ended(PATIENCE).await?;
                role.process.command().env_remove(FAIL_POINT);
                role.start().await
            }
            Self::Kill(role) => {
                let role = system.role(role)?;
                role.process.kill();
                sleep(HOLD / 4).await;
                role.start().await
            }
            Self::RollingRestart => {
                for role in system.ordering_roles() {
                    role.start().await?;
                }
                Ok(())
            }
            Self::Freeze(role) => {
                let process = &system.role(role)?.process;
                process.signal(Signal::STOP);
                sleep(HOLD * 3).await;
                process.signal(Signal::CONT);
                Ok(())
            }
            Self::KillServer(server) => {
                let services = system.services.as_mut();
                let services = services.ok_or(Failure::Missing("servers"))?;
                kill(services, server);
                sleep(HOLD).await;
                Ok(restart(services, server).await?)
            }
            Self::Network(link, fault) => {
                let proxy = proxy_of(system, link)?;
                proxy.set(fault);
                sleep(HOLD * 2).await;
                proxy.set(proxy::Fault::None);
                Ok(())
            }
            Self::Redelivery(redelivery) => redelivery::inject(redelivery, system).await,
            Self::MemoryAlarm => {
                let watermark = "set_vm_memory_high_watermark";
                let rabbitmq = rabbitmq(system)?;
                rabbitmq.control(&[watermark, "0.000001"]).await?;
                sleep(HOLD).await;
                Ok(rabbitmq.control(&[watermark, "0.6"]).await.map(drop)?)
            }
            Self::QueueDeleted => {
                let namespace = system.value("broker.namespace")?;
                let delete = ["delete_queue", &format!("{namespace}.{SAGA_QUEUE}")];
                Ok(rabbitmq(system)?.control(&delete).await.map(drop)?)
            }
        }
    }

    /// When everything is at its end: puts back what [`Self::prepare`] changed.
    ///
    /// # Errors
    /// When the system does not obey.
    pub async fn clear(self, system: &mut System) -> Result<(), Failure> {
        match self {
            Self::Provider(_) => switch(system, &json!({})).await,
            Self::FailPoint(_, role, Action::Panic) => {
                let role = system.role(role)?;
                role.process.command().env_remove(FAIL_POINT);
                role.start().await
            }
            Self::Redelivery(redelivery) => redelivery::clear(redelivery, system).await,
            Self::Customers
            | Self::FailPoint(_, _, Action::Abort)
            | Self::Kill(_)
            | Self::RollingRestart
            | Self::Freeze(_)
            | Self::KillServer(_)
            | Self::Network(..)
            | Self::MemoryAlarm
            | Self::QueueDeleted => Ok(()),
        }
    }
}

/// Waits until so many orders were accepted.
///
/// # Errors
/// When they are not.
pub async fn until_accepted(
    mut accepted: watch::Receiver<usize>,
    count: usize,
) -> Result<(), Failure> {
    let waiting = accepted.wait_for(|accepted| *accepted >= count);
    let reached = matches!(timeout(PATIENCE, waiting).await, Ok(Ok(_)));
    let missing = Failure::Missing("an accepted order before the fault");
    if reached { Ok(()) } else { Err(missing) }
}

/// The switches are asked for past the proxy, which may be what is broken.
async fn switch(system: &System, switches: &Value) -> Result<(), Failure> {
    let provider = system.provider_url()?;
    let request = Request::post(&provider, "/double/behaviour", switches).bearer(PROVIDER_KEY);
    expect(200, PROVIDER, request.send().await?).map(drop)
}

fn kill(services: &mut Services, server: Server) {
    match server {
        Server::Postgres => services.postgres.kill(),
        Server::Redis => services.redis.kill(),
        Server::RabbitMq => services.rabbitmq.kill(),
    }
}

async fn restart(services: &mut Services, server: Server) -> Result<(), ServiceError> {
    match server {
        Server::Postgres => services.postgres.restart().await,
        Server::Redis => services.redis.restart().await,
        Server::RabbitMq => services.rabbitmq.restart().await,
    }
}

fn proxy_of(system: &System, link: Link) -> Result<&Proxy, Failure> {
    let missing = || Failure::Missing("a proxy before it");
    let links = system.links.as_ref().ok_or_else(missing)?;
    let servers = || links.servers.as_ref().ok_or_else(missing);
    Ok(match link {
        Link::To(Server::Postgres) => &servers()?.postgres,
        Link::To(Server::Redis) => &servers()?.redis,
        Link::To(Server::RabbitMq) => &servers()?.rabbitmq,
        Link::ToProvider => &links.provider,
    })
}

/// RabbitMQ, when the system has one.
pub fn rabbitmq(system: &System) -> Result<&RabbitMq, Failure> {
    let services = system.services.as_ref();
    let services = services.ok_or(Failure::Missing("RabbitMQ"))?;
    Ok(&services.rabbitmq)
}
