//! RabbitMQ 3.10 to 4.x through lapin.
//!
//! lapin's own recovery is left off: it gives up after some attempts, and what was in flight when
//! the connection broke is left hanging. Here each connection is supervised ([`link`]), and
//! whoever uses one starts afresh on the next. Publishing and consuming have a connection each,
//! because RabbitMQ stops reading from a publisher while it is short of memory or disk, and an
//! acknowledgement on the same connection would not get through either.

mod channel;
mod consumer;
mod dead_letters;
mod link;
mod publisher;
mod topology;
mod wire;

use std::{sync::Arc, time::Duration};

use futures_util::stream::BoxStream;
use lapin::uri::AMQPUri;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    Broadcast, BrokerConfig, ConnectError, DeadLetter, DeadLettersError, Delivery, Publication,
    PublishError, QueueSpec,
};
pub(crate) use consumer::Settlement;
use dead_letters::DeadLetterQueue;
use link::Link;
use publisher::Publisher;
use topology::Topology;

/// How long the broker may take to answer a command before the connection counts as broken.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// Both sides send a sign of life this often at least, in seconds, so that a peer that vanished
/// without closing is noticed.
const HEARTBEAT_SECONDS: u16 = 10;

#[derive(Clone)]
pub struct RabbitMq(Arc<Shared>);

struct Shared {
    topology: Arc<Topology>,
    publisher: Arc<Publisher>,
    consuming: Arc<Link>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl RabbitMq {
    pub(crate) async fn connect(
        config: BrokerConfig,
        queues: &[QueueSpec],
        stop: CancellationToken,
    ) -> Result<Self, ConnectError> {
        let uri = parse(&config.url)?;
        let address = format!("{}:{}", uri.authority.host, uri.authority.port);
        let topology = Arc::new(Topology::new(&config.namespace, queues, config.news));
        let tasks = TaskTracker::new();
        let start = |name| Arc::new(Link::start(name, &uri, &topology, &stop, &tasks));
        let (publishing, consuming) = (start("publish"), start("consume"));
        tasks.close();
        let broker = Self(Arc::new(Shared {
            publisher: Arc::new(Publisher::new(
                Arc::clone(&publishing),
                Arc::clone(&topology),
                config.publish_timeout,
            )),
            topology,
            consuming: Arc::clone(&consuming),
            tasks,
            stop: stop.clone(),
        }));
        let both =
            async { publishing.ready().await.is_some() && consuming.ready().await.is_some() };
        if tokio::time::timeout(config.connect_timeout, both).await != Ok(true) {
            stop.cancel();
            let source = publishing.last_error().or_else(|| consuming.last_error());
            return Err(ConnectError::Unreachable { address, source });
        }
        Ok(broker)
    }

    pub(crate) async fn publish(&self, batch: &[Publication]) -> Vec<Result<(), PublishError>> {
        let outgoing: Vec<_> = batch
            .iter()
            .map(|publication| wire::publication(&self.0.topology, publication))
            .collect();
        self.0.publisher.publish(&outgoing).await
    }

    pub(crate) fn consume(
        &self,
        name: &str,
        prefetch: u16,
    ) -> Option<BoxStream<'static, Delivery>> {
        let spec = self.0.topology.queue(name)?;
        Some(consumer::deliveries(
            *spec,
            prefetch.max(1),
            Arc::clone(&self.0.consuming),
            Arc::clone(&self.0.topology),
            Arc::clone(&self.0.publisher),
        ))
    }

    pub(crate) fn broadcast(&self, pattern: &str) -> Broadcast {
        consumer::broadcast(
            pattern,
            Arc::clone(&self.0.consuming),
            Arc::clone(&self.0.topology),
            self.0.stop.clone(),
        )
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.publisher.is_connected() && self.0.consuming.current().is_some()
    }

    pub(crate) async fn wait_until_publishable(&self) {
        self.0.publisher.wait_until_connected().await;
    }

    /// Whether there is such a queue.
    pub(crate) fn knows(&self, name: &str) -> Option<()> {
        self.0.topology.queue(name).map(drop)
    }

    pub(crate) async fn dead_letters(
        &self,
        name: &str,
        message_id: Option<Uuid>,
        limit: usize,
    ) -> Result<Option<Vec<DeadLetter>>, DeadLettersError> {
        let Some(queue) = self.dead_letter_queue(name)? else {
            return Ok(None);
        };
        Ok(Some(queue.peek(message_id, limit).await?))
    }

    pub(crate) async fn replay_dead_letters(
        &self,
        name: &str,
        message_id: Option<Uuid>,
    ) -> Result<Option<Vec<Uuid>>, DeadLettersError> {
        let Some(queue) = self.dead_letter_queue(name)? else {
            return Ok(None);
        };
        Ok(Some(queue.replay(&self.0.publisher, message_id).await?))
    }

    fn dead_letter_queue(
        &self,
        name: &str,
    ) -> Result<Option<DeadLetterQueue<'_>>, DeadLettersError> {
        let topology = &self.0.topology;
        let Some(spec) = topology.queue(name) else {
            return Ok(None);
        };
        let live = self.0.consuming.current();
        Ok(Some(DeadLetterQueue {
            live: live.ok_or(DeadLettersError::NotConnected)?,
            topology,
            spec,
        }))
    }

    pub(crate) async fn delete_topology(&self) -> lapin::Result<()> {
        let Some(live) = self.0.consuming.current() else {
            return Ok(());
        };
        let channel = live.open_channel().await?;
        self.0.topology.delete(&channel).await
    }

    pub(crate) async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }
}

fn parse(url: &str) -> Result<AMQPUri, ConnectError> {
    let mut uri: AMQPUri = url.parse().map_err(ConnectError::InvalidUrl)?;
    // By the letter, `amqp://host/` means the virtual host "". Nobody means that.
    if uri.vhost.is_empty() {
        uri.vhost = "/".to_owned();
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    let milliseconds = u64::try_from(COMMAND_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
    uri.query.connection_timeout.get_or_insert(milliseconds);
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_virtual_host_means_the_default_one() {
        for url in [
            "amqp://localhost",
            "amqp://localhost:5672/",
            "amqp://localhost/%2f",
        ] {
            assert_eq!(parse(url).unwrap().vhost, "/", "{url}");
        }
        assert_eq!(parse("amqp://localhost/shop").unwrap().vhost, "shop");
    }
}
