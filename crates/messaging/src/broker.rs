use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Database;
use futures_util::stream::BoxStream;
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Broadcast, DeadLetter, Delivery, Message, Publication, PublishError, QueueSpec,
    in_process::InProcess, rabbitmq::RabbitMq,
};

/// In bytes. A name in AMQP has at most 255, and a queue's own name follows.
const NAMESPACE_LIMIT: usize = 100;

/// Takes messages and hands them out, at least once. Clones share the connections.
#[derive(Clone)]
pub enum Broker {
    RabbitMq(RabbitMq),
    InProcess(InProcess),
}

#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// `amqp://`, `amqps://`, or `memory:` for the broker inside the process.
    pub url: String,
    /// Prefixes the name of every queue and exchange, so that several systems share a broker.
    pub namespace: String,
    /// Patterns of event types that are news: where no queue takes one, it goes to those who listen
    /// ([`Broker::broadcast`]), and is confirmed though nobody does. Every other message that no
    /// queue takes is [`PublishError::Unroutable`].
    pub news: Vec<String>,
    /// How long one message may wait for its confirm.
    pub publish_timeout: Duration,
    /// How long [`Broker::connect`] tries before it gives up. Later it tries for ever.
    pub connect_timeout: Duration,
}

impl BrokerConfig {
    pub fn new(url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: namespace.into(),
            news: Vec::new(),
            publish_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the broker's URL begins with amqp://, amqps:// or memory:, not with `{0}`")]
    UnknownScheme(String),
    #[error("the broker's namespace has 1 to {NAMESPACE_LIMIT} bytes")]
    InvalidNamespace,
    #[error("the broker's URL is not valid: {0}")]
    InvalidUrl(String),
    #[error("can't connect to the broker at {address}")]
    Unreachable {
        /// Host and port, without credentials.
        address: String,
        source: Option<lapin::Error>,
    },
}

/// The queue is not among those the broker was connected with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no queue `{0}`")]
pub struct UnknownQueue(String);

impl Broker {
    /// Connects and declares the queues. From then on it reconnects for ever by itself, until
    /// `stop` is cancelled or [`Self::close`] is called.
    pub async fn connect(
        config: BrokerConfig,
        queues: &[QueueSpec],
        stop: CancellationToken,
    ) -> Result<Self, ConnectError> {
        if !(1..=NAMESPACE_LIMIT).contains(&config.namespace.len()) {
            return Err(ConnectError::InvalidNamespace);
        }
        // Closing this broker must not stop the caller.
        let stop = stop.child_token();
        let scheme = config.url.split(':').next().unwrap_or_default();
        match scheme {
            "memory" => Ok(Self::InProcess(InProcess::new(
                queues,
                config.news,
                config.publish_timeout,
                stop,
            ))),
            "amqp" | "amqps" => Ok(Self::RabbitMq(
                RabbitMq::connect(config, queues, stop).await?,
            )),
            other => Err(ConnectError::UnknownScheme(other.to_owned())),
        }
    }

    /// Publishes a batch and waits until every message was confirmed or failed. The results are
    /// in the order of `batch`. Messages of one batch may overtake each other: who needs an order
    /// publishes the later one when the earlier one is confirmed.
    pub async fn publish(&self, batch: &[Message]) -> Vec<Result<(), PublishError>> {
        let batch: Vec<_> = batch.iter().cloned().map(Publication::from).collect();
        self.send(&batch).await
    }

    /// The same for messages some of which may be for one queue only.
    pub async fn send(&self, batch: &[Publication]) -> Vec<Result<(), PublishError>> {
        let results = match self {
            Self::RabbitMq(broker) => broker.publish(batch).await,
            Self::InProcess(broker) => broker.publish(batch).await,
        };
        for result in &results {
            let outcome = result.as_ref().map_or_else(PublishError::as_str, |()| "ok");
            metrics::counter!("plumbline_messages_published_total", "outcome" => outcome)
                .increment(1);
        }
        results
    }

    /// Consumes a queue, beside others who do; at most `prefetch` deliveries are in hand at a
    /// time. The stream mends itself and ends only when the broker is closed. Dropping it stops
    /// consuming; deliveries in hand can still be settled.
    pub fn consume(
        &self,
        queue: &str,
        prefetch: u16,
    ) -> Result<BoxStream<'static, Delivery>, UnknownQueue> {
        let stream = match self {
            Self::RabbitMq(broker) => broker.consume(queue, prefetch),
            Self::InProcess(broker) => broker.consume(queue, prefetch),
        };
        stream.ok_or_else(|| UnknownQueue(queue.to_owned()))
    }

    /// Every message from now on whose type matches the pattern, for this subscriber alone.
    pub fn broadcast(&self, pattern: &str) -> Broadcast {
        match self {
            Self::RabbitMq(broker) => broker.broadcast(pattern),
            Self::InProcess(broker) => broker.broadcast(pattern),
        }
    }

    /// Whether messages can be published and consumed at this moment.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match self {
            Self::RabbitMq(broker) => broker.is_ready(),
            Self::InProcess(broker) => broker.is_ready(),
        }
    }

    /// Waits until messages can be published. Returns at once, too, when the broker is closed.
    pub async fn wait_until_publishable(&self) {
        if let Self::RabbitMq(broker) = self {
            broker.wait_until_publishable().await;
        }
    }

    /// Has the in-process broker keep the dead letters of a queue in a database that knows the
    /// outbox's tables; without one it forgets them at its end. RabbitMQ has a queue for them.
    pub fn keep_dead_letters(&self, queue: &str, database: &Database) -> Result<(), UnknownQueue> {
        let known = match self {
            Self::RabbitMq(broker) => broker.knows(queue),
            Self::InProcess(broker) => broker.keep_dead_letters(queue, database),
        };
        known.ok_or_else(|| UnknownQueue(queue.to_owned()))
    }

    /// The oldest dead letters of a queue, at most `limit`. They stay where they are.
    pub async fn dead_letters(
        &self,
        queue: &str,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, DeadLettersError> {
        self.read_dead_letters(queue, None, limit).await
    }

    /// The dead letter of a message.
    pub async fn dead_letter(
        &self,
        queue: &str,
        message_id: Uuid,
    ) -> Result<Option<DeadLetter>, DeadLettersError> {
        let letters = self.read_dead_letters(queue, Some(message_id), 1).await?;
        Ok(letters.into_iter().next())
    }

    async fn read_dead_letters(
        &self,
        queue: &str,
        message_id: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, DeadLettersError> {
        let letters = match self {
            Self::RabbitMq(broker) => broker.dead_letters(queue, message_id, limit).await?,
            Self::InProcess(broker) => broker.dead_letters(queue, message_id, limit).await?,
        };
        letters.ok_or_else(|| UnknownQueue(queue.to_owned()).into())
    }

    /// Sends the dead letters of a queue, or that of one message, to this queue again, under their
    /// own ids and with a new count of attempts; each leaves only when it is safe elsewhere. Says
    /// which they were. What becomes a dead letter meanwhile stays one.
    pub async fn replay_dead_letters(
        &self,
        queue: &str,
        message_id: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Uuid>, DeadLettersError> {
        let replayed = match self {
            Self::RabbitMq(broker) => broker.replay_dead_letters(queue, message_id).await?,
            Self::InProcess(broker) => broker.replay_dead_letters(queue, message_id, now).await?,
        };
        replayed.ok_or_else(|| UnknownQueue(queue.to_owned()).into())
    }

    /// Removes the namespace's queues, with what is in them, and its exchanges: for tests.
    pub async fn delete_topology(&self) -> Result<(), lapin::Error> {
        match self {
            Self::RabbitMq(broker) => broker.delete_topology().await,
            Self::InProcess(_) => Ok(()),
        }
    }

    /// Ends all streams and closes the connections, after what was acknowledged has been sent.
    pub async fn close(&self) {
        match self {
            Self::RabbitMq(broker) => broker.close().await,
            Self::InProcess(broker) => broker.close(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    #[error(transparent)]
    UnknownQueue(#[from] UnknownQueue),
    #[error("there is no connection to the broker")]
    NotConnected,
    #[error("the broker did not answer")]
    Broker(#[from] lapin::Error),
    #[error("the queue did not take the message back")]
    Publish(#[from] PublishError),
    #[error("the dead letters' database failed")]
    Database(#[from] DbErr),
    /// They are kept in memory only, from where they can't be sent again.
    #[error("the dead letters of `{0}` are kept in no database")]
    NoDatabase(String),
}
