//! A shop with its worker, which can be crashed and started again, and the payment provider, which
//! lives on meanwhile.

use std::{sync::Arc, time::Duration};

use cache::{Cache, CacheConfig};
use chrono::TimeDelta;
use database::Database;
use futures_util::StreamExt;
use kernel::{
    Actor, ManualClock, OrderId, ProductId, Role,
    page::{Direction, PageRequest},
};
use messaging::{
    Broker, BrokerConfig, DeadLetter, Relay, RelayConfig, RelayWaker, consumer::RetryPolicy, outbox,
};
use migrations::{MigratorTrait, OrdersMigrator};
use order_worker::{
    EVENTS, MAIL_QUEUE, MailDeps, QUEUE, Worker, WorkerConfig, WorkerDeps, receipted_event_types,
};
use orders::{
    Orders, ProductFilter, ProductSort,
    domain::{OrderStatus, PlaceOrder, RequestedLine},
};
use payment::{Stripe, StripeConfig};
use payment_double::{DoubleConfig, PaymentDouble, Running};
use secrecy::SecretString;
use service_kit::{
    lifecycle::Shutdown,
    mail::{DevMailbox, Mailer},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::people::People;

pub const SECRET_KEY: &str = "sk_test_double";
/// A limit that only a broken test reaches.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long the worker waits for the provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_millis(400);

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(3_600);

/// What a worker does unasked, how often.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub sweep_every: Duration,
    pub reconcile_every: Duration,
}

/// Tests reconcile when they want to.
pub const SCHEDULE: Schedule = Schedule {
    sweep_every: Duration::from_millis(20),
    reconcile_every: NEVER,
};

pub struct World {
    pub clock: ManualClock,
    pub mailbox: DevMailbox,
    pub people: People,
    database_url: String,
    pub provider: Running,
    stop_provider: CancellationToken,
}

/// One life of the process that runs the worker.
pub struct System {
    pub orders: Orders,
    pub broker: Broker,
    shutdown: Shutdown,
}

impl World {
    pub async fn create(database_url: String) -> Self {
        let database = Database::connect(&database_url, 1).await.unwrap();
        OrdersMigrator::up(database.writer(), None).await.unwrap();
        database.close().await.unwrap();
        let clock = ManualClock::starting_now();
        let config = DoubleConfig::new(
            "127.0.0.1:0".parse().unwrap(),
            SecretString::from(SECRET_KEY),
            SecretString::from("whsec_double"),
        );
        let stop_provider = CancellationToken::new();
        let provider =
            PaymentDouble::start(config, Arc::new(clock.clone()), stop_provider.clone()).unwrap();
        let world = Self {
            clock,
            mailbox: DevMailbox::default(),
            people: People::default(),
            database_url,
            provider,
            stop_provider,
        };
        let orders = world.orders(RelayWaker::default()).await;
        orders.seed_demo_shop().await.unwrap();
        orders.database().close().await.unwrap();
        world
    }

    pub async fn end(self) {
        self.stop_provider.cancel();
        self.provider.stopped().await;
    }

    /// Starts the system as the embedded mode does: what the last life's broker forgot comes back.
    pub async fn boot(&self) -> System {
        let system = self.boot_without_worker().await;
        self.start_worker(&system, SCHEDULE);
        system
    }

    /// Nothing is taken up that is late.
    pub async fn boot_without_sweep(&self) -> System {
        let system = self.boot_without_worker().await;
        let schedule = Schedule {
            sweep_every: NEVER,
            ..SCHEDULE
        };
        self.start_worker(&system, schedule);
        system
    }

    /// Events are published, and nobody takes a step.
    pub async fn boot_without_worker(&self) -> System {
        let waker = RelayWaker::default();
        let orders = self.orders(waker.clone()).await;
        for (consumer, event_types) in receipted_event_types() {
            let requeued = outbox::requeue_unconsumed(orders.database(), consumer, event_types);
            requeued.await.unwrap();
        }
        let system = System {
            orders,
            broker: broker("memory:").await,
            shutdown: Shutdown::new(),
        };
        self.start_relay(&system, system.orders.database().clone(), waker);
        system
    }

    /// Starts as many relays and workers as if each were a process: they share the database and the
    /// broker, and nothing else.
    pub async fn boot_many(&self, broker_url: &str, relays: usize, workers: usize) -> System {
        let waker = RelayWaker::default();
        let system = System {
            orders: self.orders(waker.clone()).await,
            broker: broker(broker_url).await,
            shutdown: Shutdown::new(),
        };
        for _ in 0..relays {
            let database = Database::connect(&self.database_url, 2).await.unwrap();
            self.start_relay(&system, database, waker.clone());
        }
        for _ in 0..workers {
            let orders = self.orders(waker.clone()).await;
            self.start_worker_over(&system, orders, SCHEDULE);
        }
        system
    }

    fn start_relay(&self, system: &System, database: Database, waker: RelayWaker) {
        let relay = Relay::new(
            database,
            system.broker.clone(),
            Arc::new(self.clock.clone()),
            RelayConfig::default(),
            waker,
        );
        let soft = system.shutdown.soft();
        system
            .shutdown
            .spawn("relay", async move { relay.run(soft).await });
    }

    /// Starts a worker, perhaps beside another one.
    pub fn start_worker(&self, system: &System, schedule: Schedule) {
        self.start_worker_over(system, system.orders.clone(), schedule);
    }

    fn start_worker_over(&self, system: &System, orders: Orders, schedule: Schedule) {
        let config = WorkerConfig {
            prefetch: 10,
            retries: RetryPolicy::default(),
            sweep_every: schedule.sweep_every,
            reconcile_every: schedule.reconcile_every,
        };
        let deps = WorkerDeps {
            orders,
            broker: system.broker.clone(),
            payments: self.stripe(PROVIDER_TIMEOUT),
            clock: Arc::new(self.clock.clone()),
            mails: MailDeps {
                mailer: Mailer::Memory(self.mailbox.clone()),
                directory: self.people.directory(&self.clock),
                public_url: "https://shop.example".parse().unwrap(),
            },
        };
        Worker::build(config, deps).spawn(&system.shutdown).unwrap();
    }

    /// Until the order's deadline has passed, whatever its state.
    pub fn pass_a_deadline(&self) {
        let deadlines = OrderStatus::ALL
            .into_iter()
            .filter_map(OrderStatus::deadline);
        self.clock.advance(deadlines.max().unwrap());
    }

    pub fn stripe(&self, timeout: Duration) -> Stripe {
        let base_url = self.provider.base_url().parse().unwrap();
        let mut config = StripeConfig::new(base_url, SecretString::from(SECRET_KEY));
        config.timeout = timeout;
        Stripe::new(config).unwrap()
    }

    pub async fn orders(&self, waker: RelayWaker) -> Orders {
        let database = Database::connect(&self.database_url, 2).await.unwrap();
        let cache = Cache::connect(CacheConfig {
            url: "memory:".to_owned(),
            namespace: "test".to_owned(),
            max_entries: 100,
            max_loads: 2,
        });
        let clock = Arc::new(self.clock.clone());
        Orders::new(database, cache.await.unwrap(), clock, waker)
    }
}

async fn broker(url: &str) -> Broker {
    let config = BrokerConfig {
        news: vec![EVENTS.to_owned()],
        ..BrokerConfig::new(url, format!("test-{}", Uuid::now_v7().simple()))
    };
    let connected = Broker::connect(config, &[QUEUE, MAIL_QUEUE], CancellationToken::new());
    connected.await.unwrap()
}

/// Places an order for one piece, whether anybody works on orders or not.
pub async fn place(
    orders: &Orders,
    customer: &Actor,
    product: ProductId,
    payment_method: &str,
) -> OrderId {
    let request = PlaceOrder {
        idempotency_key: Uuid::now_v7().to_string().parse().unwrap(),
        lines: vec![RequestedLine {
            product_id: product,
            quantity: 1,
        }],
        payment_method: payment_method.to_owned(),
    };
    let placed = orders.place(customer, &request).await.unwrap();
    placed.into_order().id
}

/// The demo shop's product of this name.
pub async fn product(orders: &Orders, name: &str) -> ProductId {
    let filter = ProductFilter {
        search: Some(name.to_owned()),
    };
    let request = PageRequest::new(1, Direction::Forward, None).unwrap();
    let found = orders.products(&filter, ProductSort::default(), request);
    found.await.unwrap().items[0].id
}

pub fn someone(role: Role) -> Actor {
    Actor::of_session(Uuid::now_v7().into(), Uuid::now_v7().into(), vec![role])
}

impl System {
    /// Places an order for one piece of the product.
    pub async fn place(&self, product: ProductId, payment_method: &str) -> OrderId {
        let customer = someone(Role::Customer);
        self.place_as(&customer, product, payment_method).await
    }

    pub async fn place_as(
        &self,
        customer: &Actor,
        product: ProductId,
        payment_method: &str,
    ) -> OrderId {
        place(&self.orders, customer, product, payment_method).await
    }

    /// The demo shop's product of this name.
    pub async fn product(&self, name: &str) -> ProductId {
        product(&self.orders, name).await
    }

    pub async fn available(&self, product: ProductId) -> i64 {
        let products = self.orders.products_by_ids(&[product]).await.unwrap();
        products[&product].available
    }

    /// Waits for the order to come to this state.
    pub async fn reaches(&self, order: OrderId, expected: OrderStatus) {
        let mut events = self.broker.broadcast("orders.order.#");
        let mut status = None;
        let reached = async {
            loop {
                status = self.orders.status(order).await.unwrap();
                if status == Some(expected) {
                    return;
                }
                events.next().await.expect("the broker is there");
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "it is {status:?} and not {expected:?}");
    }

    /// Lets deadlines pass until the order has come to this state.
    pub async fn passes_time_until(&self, world: &World, order: OrderId, expected: OrderStatus) {
        until("the order has come to its state", async || {
            world.clock.advance(TimeDelta::seconds(10));
            self.orders.status(order).await.unwrap() == Some(expected)
        })
        .await;
    }

    /// Waits until the relay has published everything.
    pub async fn all_is_published(&self) {
        until("the outbox is drained", async || {
            let findings = self.orders.audit().await.unwrap();
            let mut findings = findings.into_iter();
            let outbox = findings.find(|finding| finding.invariant == "the outbox is drained");
            outbox.unwrap().violations == 0
        })
        .await;
    }

    /// Waits for a cancelled order's end, whichever of the two it is.
    pub async fn ends(&self, order: OrderId) {
        until("the order is cancelled or refunded", async || {
            let status = self.orders.status(order).await.unwrap();
            matches!(status, Some(OrderStatus::Cancelled | OrderStatus::Refunded))
        })
        .await;
    }

    pub async fn steps(&self, order: OrderId) -> Vec<OrderStatus> {
        let mut history = self.orders.history_of(&[order]).await.unwrap();
        let steps = history.remove(&order).unwrap().into_iter();
        steps.map(|step| step.status).collect()
    }

    /// Waits for as many dead letters.
    pub async fn dead_letters(&self, count: usize) -> Vec<DeadLetter> {
        let letters = async || self.broker.dead_letters(QUEUE.name, 100).await.unwrap();
        until("the dead letters are there", async || {
            letters().await.len() == count
        })
        .await;
        letters().await
    }

    /// The process is gone from one moment to the next: tasks are dropped where they are, and
    /// what the broker held is forgotten.
    pub async fn crash(self) {
        self.shutdown.hard().cancel();
        self.end().await;
    }

    /// Stops in good order.
    pub async fn end(self) {
        self.shutdown.finish(PATIENCE).await;
        self.broker.close().await;
        self.orders.database().close().await.unwrap();
    }
}

/// Asks until it is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(PATIENCE, asking).await;
    assert!(asked.is_ok(), "it never came about that {what}");
}
