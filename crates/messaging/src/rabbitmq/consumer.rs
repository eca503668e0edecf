//! Consuming, for ever.
//!
//! A lapin consumer stream can fall silent: when its channel died of an error on another command,
//! or its queue was deleted. So an idle one is probed, and any doubt is answered with a new
//! channel and a new consumer. Unsettled messages of the old channel are delivered again.

use std::{sync::Arc, time::Duration};

use async_stream::stream;
use futures_util::{StreamExt, stream::BoxStream};
use lapin::{
    Consumer,
    message::Delivery as RawDelivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions,
        BasicQosOptions, BasicRejectOptions, QueueDeclareOptions,
    },
    types::{FieldTable, ShortString},
};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    COMMAND_TIMEOUT,
    channel::OwnedChannel,
    link::{Link, Live},
    publisher::Publisher,
    topology::{self, Topology, table, text},
    wire,
};
use crate::{
    Broadcast, Delivery, Message, QueueSpec, backoff::Backoff,
    broadcast::CAPACITY as BROADCAST_CAPACITY, delivery,
};

/// An idle consumer is asked this often whether it still is one.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
const BROADCAST_PREFETCH: u16 = 256;
/// Kept for a process that stands still; the oldest make room.
const BROADCAST_QUEUE_LENGTH: i64 = 10_000;

pub(super) fn deliveries(
    spec: QueueSpec,
    prefetch: u16,
    link: Arc<Link>,
    topology: Arc<Topology>,
    publisher: Arc<Publisher>,
) -> BoxStream<'static, Delivery> {
    let queue = topology.queue_name(&spec);
    stream! {
        let mut backoff = retry_delays();
        while let Some(live) = link.ready().await {
            match Session::durable(&live, &topology, queue.clone(), prefetch).await {
                Ok(mut session) => {
                    while let Some(raw) = session.next().await {
                        backoff.reset();
                        let settlement = Settlement::new(&raw, &session, &publisher, &topology, spec);
                        match wire::decode(&raw) {
                            Ok(message) => yield Delivery::new(
                                message,
                                wire::attempt(&raw),
                                spec.name,
                                delivery::Settlement::RabbitMq(settlement),
                            ),
                            Err(error) => settlement.dead_letter_malformed(&raw, error).await,
                        }
                    }
                }
                Err(error) => tracing::warn!(queue = spec.name, %error, "can't consume"),
            }
            tokio::time::sleep(backoff.next_delay()).await;
        }
    }
    .boxed()
}

/// Subscribes in the background until the returned value is dropped.
pub(super) fn broadcast(
    pattern: &str,
    link: Arc<Link>,
    topology: Arc<Topology>,
    stop: CancellationToken,
) -> Broadcast {
    let pattern: Arc<str> = pattern.into();
    let epoch = Arc::new(watch::Sender::new(0));
    // A ring: the broker is never made to wait for a slow subscriber.
    let (ring, receiver) = tokio::sync::broadcast::channel(BROADCAST_CAPACITY);
    let ended = CancellationToken::new();
    let feed = feed(
        Arc::clone(&pattern),
        link,
        topology,
        Arc::clone(&epoch),
        ring,
    );
    let guard = ended.clone().drop_guard();
    tokio::spawn(async move { ended.run_until_cancelled(feed).await });
    Broadcast::new(pattern, receiver, epoch, stop, Some(guard))
}

async fn feed(
    pattern: Arc<str>,
    link: Arc<Link>,
    topology: Arc<Topology>,
    epoch: Arc<watch::Sender<u64>>,
    ring: tokio::sync::broadcast::Sender<Message>,
) {
    let mut backoff = retry_delays();
    while let Some(live) = link.ready().await {
        match Session::exclusive(&live, &topology, &pattern).await {
            Ok(mut session) => {
                epoch.send_modify(|epoch| *epoch += 1);
                while let Some(raw) = session.next().await {
                    backoff.reset();
                    // An acknowledgement that is lost ends the session too.
                    let _ = raw.acker.ack(BasicAckOptions::default()).await;
                    match wire::decode(&raw) {
                        // An error means that the subscriber has gone, and this ends with it.
                        Ok(message) => drop(ring.send(message)),
                        Err(error) => tracing::warn!(%error, "a broadcast message is malformed"),
                    }
                }
            }
            Err(error) => tracing::warn!(%pattern, %error, "can't subscribe"),
        }
        tokio::time::sleep(backoff.next_delay()).await;
    }
}

fn retry_delays() -> Backoff {
    Backoff::new(Duration::from_millis(50), Duration::from_secs(5))
}

/// A consumer on a channel of its own, good until the first doubt.
struct Session {
    live: Arc<Live>,
    channel: Arc<OwnedChannel>,
    consumer: Consumer,
    queue: ShortString,
}

impl Session {
    async fn durable(
        live: &Arc<Live>,
        topology: &Topology,
        queue: ShortString,
        prefetch: u16,
    ) -> lapin::Result<Self> {
        in_time(live, async {
            let channel = live.open_channel().await?;
            // It may have been deleted.
            topology.declare(&channel).await?;
            Self::start(live, channel, queue, prefetch).await
        })
        .await
    }

    async fn exclusive(
        live: &Arc<Live>,
        topology: &Topology,
        pattern: &str,
    ) -> lapin::Result<Self> {
        in_time(live, async {
            let channel = live.open_channel().await?;
            let arguments = table([
                ("x-max-length", BROADCAST_QUEUE_LENGTH.into()),
                ("x-overflow", text("drop-head")),
            ]);
            let exclusive = QueueDeclareOptions::exclusive().auto_delete();
            let name = ShortString::default();
            let queue = channel.queue_declare(name, exclusive, arguments).await?;
            let queue = queue.name().clone();
            let exchange = topology.events_exchange();
            topology::bind(&channel, &queue, exchange, pattern).await?;
            Self::start(live, channel, queue, BROADCAST_PREFETCH).await
        })
        .await
    }

    async fn start(
        live: &Arc<Live>,
        channel: OwnedChannel,
        queue: ShortString,
        prefetch: u16,
    ) -> lapin::Result<Self> {
        channel
            .basic_qos(prefetch, BasicQosOptions::default())
            .await?;
        let consumer = channel
            .basic_consume(
                queue.clone(),
                ShortString::default(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        Ok(Self {
            live: Arc::clone(live),
            channel: Arc::new(channel),
            consumer,
            queue,
        })
    }

    /// The next delivery; `None` when the session is over.
    async fn next(&mut self) -> Option<RawDelivery> {
        loop {
            let next = tokio::select! {
                next = timeout(PROBE_INTERVAL, self.consumer.next()) => next,
                () = self.live.lost() => return None,
            };
            match next {
                Ok(Some(Ok(delivery))) => return Some(delivery),
                Ok(Some(Err(error))) => {
                    tracing::warn!(queue = self.queue.as_str(), %error, "the consumer broke");
                    return None;
                }
                Ok(None) => {
                    tracing::warn!(queue = self.queue.as_str(), "the consumer was cancelled");
                    return None;
                }
                Err(_idle) if self.is_alive().await => {}
                Err(_idle) => return None,
            }
        }
    }

    async fn is_alive(&self) -> bool {
        let passive = QueueDeclareOptions::default().passive();
        let probe = self
            .channel
            .queue_declare(self.queue.clone(), passive, FieldTable::default());
        match timeout(COMMAND_TIMEOUT, probe).await {
            Ok(Ok(queue)) => queue.consumer_count() > 0,
            Ok(Err(error)) => {
                tracing::warn!(queue = self.queue.as_str(), %error, "the consumer is dead");
                false
            }
            Err(_) => {
                self.live.condemn();
                false
            }
        }
    }
}

impl Drop for Session {
    /// Cancels first, and lets go of the channel after that: see [`OwnedChannel`].
    fn drop(&mut self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (consumer, channel) = (self.consumer.clone(), Arc::clone(&self.channel));
            runtime.spawn(async move {
                let cancel = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
                let _ = timeout(COMMAND_TIMEOUT, cancel).await;
                drop((consumer, channel));
            });
        }
    }
}

/// A broker that does not answer a command in time has its connection given up.
async fn in_time<T>(
    live: &Live,
    command: impl Future<Output = lapin::Result<T>>,
) -> lapin::Result<T> {
    timeout(COMMAND_TIMEOUT, command).await.unwrap_or_else(|_| {
        live.condemn();
        Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())
    })
}

/// What a delivery needs to be settled.
pub(crate) struct Settlement {
    acker: lapin::Acker,
    /// The channel lives until the last of its deliveries is settled.
    _channel: Arc<OwnedChannel>,
    publisher: Arc<Publisher>,
    topology: Arc<Topology>,
    spec: QueueSpec,
}

impl Settlement {
    fn new(
        raw: &RawDelivery,
        session: &Session,
        publisher: &Arc<Publisher>,
        topology: &Arc<Topology>,
        spec: QueueSpec,
    ) -> Self {
        Self {
            acker: raw.acker.clone(),
            _channel: Arc::clone(&session.channel),
            publisher: Arc::clone(publisher),
            topology: Arc::clone(topology),
            spec,
        }
    }

    pub(crate) async fn ack(&self) {
        let ack = self.acker.ack(BasicAckOptions::default());
        self.report(timeout(COMMAND_TIMEOUT, ack).await, "acknowledgement");
    }

    /// `reject`, not `nack`: RabbitMQ 4 does not count a requeueing `nack` as a failed delivery.
    pub(crate) async fn reject(&self) {
        let reject = self.acker.reject(BasicRejectOptions { requeue: true });
        self.report(timeout(COMMAND_TIMEOUT, reject).await, "rejection");
    }

    /// `nack`, which RabbitMQ 4 does not count.
    pub(crate) async fn give_back(&self) {
        let nack = self.acker.nack(BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        });
        self.report(timeout(COMMAND_TIMEOUT, nack).await, "return");
    }

    /// For a delivery that is dropped. Without a runtime the process is ending, and the broker
    /// takes the message back when the connection closes.
    pub(crate) fn reject_in_background(self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { self.reject().await });
        }
    }

    pub(crate) async fn dead_letter(&self, message: &Message, reason: &str, attempt: u32) {
        let exchange = self.topology.dead_letter_exchange();
        let outgoing = wire::dead_letter(exchange, self.spec.name, message, reason, attempt);
        self.move_to_dead_letters(outgoing).await;
    }

    async fn dead_letter_malformed(&self, raw: &RawDelivery, error: wire::Malformed) {
        let queue = self.spec.name;
        tracing::warn!(queue, %error, "a message that is not ours goes to the dead-letter queue");
        let exchange = self.topology.dead_letter_exchange();
        let outgoing = wire::malformed(exchange, queue, raw, &error.to_string());
        self.move_to_dead_letters(outgoing).await;
    }

    /// Acknowledges only what the dead-letter queue has confirmed.
    async fn move_to_dead_letters(&self, outgoing: wire::Outgoing) {
        let results = self.publisher.publish(&[outgoing]).await;
        match results.into_iter().next() {
            Some(Ok(())) => self.ack().await,
            Some(Err(error)) => {
                let queue = self.spec.name;
                tracing::error!(queue, %error, "the dead letter was not taken: it is retried");
                self.reject().await;
            }
            None => {}
        }
    }

    fn report(&self, outcome: Result<lapin::Result<bool>, impl Sized>, what: &str) {
        if !matches!(outcome, Ok(Ok(true))) {
            let queue = self.spec.name;
            tracing::warn!(
                queue,
                "the {what} did not reach RabbitMQ: expect a redelivery"
            );
        }
    }
}
