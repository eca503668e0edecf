//! The exchanges and queues, declared in this one place.
//!
//! ```text
//! {ns}.events (topic) --bindings--> {ns}.{queue} (quorum)
//!                                        | delivery limit
//! {ns}.dead-letters (direct) <-----------+
//!        '--{queue}--> {ns}.{queue}.dead (quorum)
//! ```

use lapin::{
    Channel, ExchangeKind,
    options::{
        ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::{QueueSpec, topology::is_news};

/// Messages a queue holds before it refuses more (`overflow=reject-publish`): what is refused
/// stays in the outbox.
const QUEUE_LENGTH_LIMIT: i64 = 100_000;
/// Looking at dead letters counts as delivering them. RabbitMQ 4 has a limit of 20 unless told
/// otherwise, and 3.x does not accept -1 for "none".
const DEAD_LETTER_DELIVERY_LIMIT: i64 = 1_000_000_000;

pub(super) struct Topology {
    namespace: String,
    events_exchange: String,
    dead_letter_exchange: String,
    queues: Vec<QueueSpec>,
    news: Vec<String>,
}

impl Topology {
    pub(super) fn new(namespace: &str, queues: &[QueueSpec], news: Vec<String>) -> Self {
        Self {
            namespace: namespace.to_owned(),
            events_exchange: format!("{namespace}.events"),
            dead_letter_exchange: format!("{namespace}.dead-letters"),
            queues: queues.to_vec(),
            news,
        }
    }

    pub(super) fn events_exchange(&self) -> &str {
        &self.events_exchange
    }

    pub(super) fn dead_letter_exchange(&self) -> &str {
        &self.dead_letter_exchange
    }

    pub(super) fn queue(&self, name: &str) -> Option<&QueueSpec> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    /// Whether RabbitMQ is to return a message of this type that it can't put into a queue.
    pub(super) fn is_mandatory(&self, event_type: &str) -> bool {
        let has_queue = self.queues.iter().any(|queue| queue.accepts(event_type));
        has_queue || !is_news(&self.news, event_type)
    }

    pub(super) fn queue_name(&self, spec: &QueueSpec) -> ShortString {
        self.name_of(spec.name).into()
    }

    /// What a queue is called in RabbitMQ.
    pub(super) fn name_of(&self, queue: &str) -> String {
        format!("{}.{queue}", self.namespace)
    }

    pub(super) fn dead_letter_queue_name(&self, spec: &QueueSpec) -> ShortString {
        format!("{}.{}.dead", self.namespace, spec.name).into()
    }

    /// Declares everything. What exists already with the same arguments is left alone; with other
    /// arguments it is an error, and a person has to decide what to do with its messages.
    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        for (exchange, kind) in [
            (&self.events_exchange, ExchangeKind::Topic),
            (&self.dead_letter_exchange, ExchangeKind::Direct),
        ] {
            channel
                .exchange_declare(
                    exchange.as_str().into(),
                    kind,
                    durable,
                    FieldTable::default(),
                )
                .await?;
        }
        for spec in &self.queues {
            self.declare_dead_letter_queue(channel, spec).await?;
            self.declare_queue(channel, spec).await?;
        }
        Ok(())
    }

    async fn declare_queue(&self, channel: &Channel, spec: &QueueSpec) -> lapin::Result<()> {
        let name = self.queue_name(spec);
        let limit = i64::from(spec.delivery_limit);
        let arguments = table([
            ("x-queue-type", text("quorum")),
            ("x-delivery-limit", limit.into()),
            ("x-dead-letter-exchange", text(&self.dead_letter_exchange)),
            ("x-dead-letter-routing-key", text(spec.name)),
            // The queue keeps a dead letter until the dead-letter queue has confirmed it.
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
            ("x-max-length", QUEUE_LENGTH_LIMIT.into()),
        ]);
        channel
            .queue_declare(name.clone(), QueueDeclareOptions::durable(), arguments)
            .await?;
        for pattern in spec.bindings {
            let exchange = self.events_exchange.as_str();
            bind(channel, &name, exchange, pattern).await?;
        }
        Ok(())
    }

    async fn declare_dead_letter_queue(
        &self,
        channel: &Channel,
        spec: &QueueSpec,
    ) -> lapin::Result<()> {
        let name = self.dead_letter_queue_name(spec);
        let arguments = table([
            ("x-queue-type", text("quorum")),
            ("x-delivery-limit", DEAD_LETTER_DELIVERY_LIMIT.into()),
            ("x-overflow", text("reject-publish")),
            ("x-max-length", QUEUE_LENGTH_LIMIT.into()),
        ]);
        channel
            .queue_declare(name.clone(), QueueDeclareOptions::durable(), arguments)
            .await?;
        bind(channel, &name, &self.dead_letter_exchange, spec.name).await
    }

    pub(super) async fn delete(&self, channel: &Channel) -> lapin::Result<()> {
        for spec in &self.queues {
            for name in [self.queue_name(spec), self.dead_letter_queue_name(spec)] {
                channel
                    .queue_delete(name, QueueDeleteOptions::default())
                    .await?;
            }
        }
        for exchange in [&self.events_exchange, &self.dead_letter_exchange] {
            channel
                .exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default())
                .await?;
        }
        Ok(())
    }
}

pub(super) async fn bind(
    channel: &Channel,
    queue: &ShortString,
    exchange: &str,
    pattern: &str,
) -> lapin::Result<()> {
    channel
        .queue_bind(
            queue.clone(),
            exchange.into(),
            pattern.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
}

pub(super) fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(name.into(), value);
    }
    table
}

pub(super) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
