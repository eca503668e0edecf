//! The asynchronous half of the ordering context: it consumes the orders' events and takes each
//! order a step further, charges cards, takes up what was left behind, and writes to the customers.

mod commands;
mod mail;
mod payments;
pub mod reconcile;
mod refunds;
mod saga;
mod sweep;

use std::time::Duration;

use kernel::SharedClock;
use mail::OrderMails;
use messaging::{
    Broker, QueueSpec, UnknownQueue,
    consumer::{Consumer, ConsumerConfig, ConsumerDeps, RetryPolicy},
};
use orders::Orders;
use payment::Stripe;
use service_kit::lifecycle::Shutdown;

pub use commands::{Command, DeclaredCommand, Step, declared_commands};
pub use mail::{MAIL_CONSUMER, MAIL_QUEUE, MailDeps};
pub use saga::{HandleError, Saga};

/// The name under which the saga keeps its receipts in the inbox.
pub const CONSUMER: &str = orders::SAGA_CONSUMER;

/// The saga's queue. It takes the events that ask for a step, in every version, and no others: what a queue takes is
/// replicated, written to disk and acknowledged, for nothing if nobody works on it.
pub const QUEUE: QueueSpec = QueueSpec {
    name: CONSUMER,
    bindings: commands::BINDINGS,
    delivery_limit: 10,
};

/// The events of the context. Those that no queue takes are told to whoever listens, perhaps nobody.
pub const EVENTS: &str = "orders.#";

#[derive(Clone, Copy, Debug)]
pub struct WorkerConfig {
    /// Messages in hand at a time.
    pub prefetch: u16,
    pub retries: RetryPolicy,
    /// How often overdue orders are looked for.
    pub sweep_every: Duration,
    /// How often the provider's books are compared with ours.
    pub reconcile_every: Duration,
}

pub struct WorkerDeps {
    pub orders: Orders,
    pub broker: Broker,
    pub payments: Stripe,
    pub clock: SharedClock,
    pub mails: MailDeps,
}

/// The order worker, ready to run.
pub struct Worker {
    config: WorkerConfig,
    broker: Broker,
    saga: Saga,
    mails: OrderMails,
    orders: Orders,
    payments: Stripe,
    clock: SharedClock,
}

impl Worker {
    #[must_use]
    pub fn build(config: WorkerConfig, deps: WorkerDeps) -> Self {
        let saga = Saga::new(deps.orders.clone(), deps.payments.clone());
        let mails = OrderMails {
            orders: deps.orders.clone(),
            deps: deps.mails,
        };
        Self {
            config,
            broker: deps.broker,
            saga,
            mails,
            orders: deps.orders,
            payments: deps.payments,
            clock: deps.clock,
        }
    }

    /// Starts the consumers, the sweep and the reconciliation. After the soft stop they finish what
    /// is in hand.
    pub fn spawn(self, shutdown: &Shutdown) -> Result<(), UnknownQueue> {
        let consumer = |queue, prefetch| {
            let retries = self.config.retries;
            let config = ConsumerConfig {
                queue,
                prefetch,
                retries,
            };
            let deps = ConsumerDeps {
                broker: &self.broker,
                database: self.orders.database(),
                clock: self.orders.clock().clone(),
            };
            Consumer::new(config, deps)
        };
        let saga = consumer(QUEUE, self.config.prefetch)?;
        let mails = consumer(MAIL_QUEUE, mail::PREFETCH)?;
        shutdown.spawn("saga", saga.run(self.saga, shutdown.soft()));
        shutdown.spawn("order mails", mails.run(self.mails, shutdown.soft()));
        let sweep = sweep::run(
            self.orders.clone(),
            self.config.sweep_every,
            shutdown.soft(),
        );
        shutdown.spawn("sweep", sweep);
        let reconciliation = reconcile::run(
            self.orders,
            self.payments,
            self.clock,
            self.config.reconcile_every,
            shutdown.soft(),
        );
        shutdown.spawn("reconciliation", reconciliation);
        Ok(())
    }
}

/// Of each consumer, the events that leave a receipt: those that ask for a step, and those of which
/// the customer is told.
#[must_use]
pub const fn receipted_event_types() -> [(&'static str, &'static [&'static str]); 2] {
    [
        (CONSUMER, commands::RECEIPTED),
        (mail::MAIL_CONSUMER, mail::TOLD),
    ]
}
