//! A shop with its worker, which can be crashed and started again, and the payment provider, which
//! lives on meanwhile.

use std::{sync::Arc, time::Duration};

use cache::{Cache, CacheConfig};
use chrono::TimeDelta;
use database::Database;
use futures_util::StreamExt;
use kernel::{
    Actor, Clock, ManualClock, OrderId, ProductId, Role,
    page::{Direction, PageRequest},
};
use messaging::{
    Broker, BrokerConfig, DeadLetter, Relay, RelayConfig, RelayWaker, consumer::RetryPolicy, outbox,
};
use migrations::{MigratorTrait, OrdersMigrator};
use order_worker::{
    CONSUMER, QUEUE, Worker, WorkerConfig, WorkerDeps, receipted_event_types,
    reconcile::{Mode, Reconciled, Reconciliation},
};
use orders::{
    Discrepancy, Orders, ProductFilter, ProductSort,
    audit::LedgerCharge,
    domain::{OrderStatus, PlaceOrder, RequestedLine},
};
use payment::{
    CreateIntent, CreateRefund, Intent, IntentStatus, ListIntents, RefundStatus, Stripe,
    StripeConfig,
};
use payment_double::{Behaviour, DoubleConfig, PaymentDouble, Running};
use secrecy::SecretString;
use service_kit::lifecycle::Shutdown;
use testkit::http::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SECRET_KEY: &str = "sk_test_double";
/// A limit that only a broken test reaches.
const PATIENCE: Duration = Duration::from_secs(30);
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
    database_url: String,
    provider: Running,
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
        let database = orders.database().clone();
        outbox::requeue_unconsumed(&database, CONSUMER, receipted_event_types())
            .await
            .unwrap();
        let shutdown = Shutdown::new();
        let config = BrokerConfig::new("memory:", "test");
        let broker = Broker::connect(config, &[QUEUE], CancellationToken::new())
            .await
            .unwrap();
        let clock = Arc::new(self.clock.clone());
        let relay = Relay::new(
            database,
            broker.clone(),
            clock,
            RelayConfig::default(),
            waker,
        );
        let soft = shutdown.soft();
        shutdown.spawn("relay", async move { relay.run(soft).await });
        System {
            orders,
            broker,
            shutdown,
        }
    }

    /// Starts a worker, perhaps beside another one.
    pub fn start_worker(&self, system: &System, schedule: Schedule) {
        let config = WorkerConfig {
            prefetch: 10,
            retries: RetryPolicy::default(),
            sweep_every: schedule.sweep_every,
            reconcile_every: schedule.reconcile_every,
        };
        let deps = WorkerDeps {
            orders: system.orders.clone(),
            broker: system.broker.clone(),
            payments: self.stripe(PROVIDER_TIMEOUT),
            clock: Arc::new(self.clock.clone()),
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

    pub fn provider_behaves(&self, behaviour: Behaviour) {
        self.provider.set_behaviour(behaviour).unwrap();
    }

    /// Waits until the provider's books have as many payments for the order, answered or not.
    pub async fn provider_has(&self, order: OrderId, payments: usize) {
        let client = Client::new(self.provider.base_url()).with_bearer(SECRET_KEY);
        let path = format!("/double/ledger?order_id={order}");
        until("the provider has the payment", async || {
            let ledger: LedgerView = client.get(&path).await.json();
            ledger.intents.len() == payments
        })
        .await;
    }

    /// The intents of an order, as the provider lists them.
    pub async fn intents(&self, order: OrderId) -> Vec<Intent> {
        let mut intents = self.all_intents().await;
        intents.retain(|intent| intent.order_id == Some(order));
        intents
    }

    /// How often the order's money was given back.
    pub async fn refunds(&self, order: OrderId) -> usize {
        let mut refunds = 0;
        for intent in self.intents(order).await {
            let page = self.stripe(PATIENCE).list_refunds(&intent.id).await;
            refunds += page.unwrap().items.len();
        }
        refunds
    }

    /// Waits until the order's money, or some of it, was given back so often.
    pub async fn gives_back(&self, order: OrderId, times: usize) {
        until("the money is given back", async || {
            self.refunds(order).await == times
        })
        .await;
    }

    /// Waits until the provider has given the order's money back, answered or not.
    pub async fn provider_has_refunded(&self, order: OrderId) {
        let client = Client::new(self.provider.base_url()).with_bearer(SECRET_KEY);
        let path = format!("/double/ledger?order_id={order}");
        until("the provider has the refund", async || {
            let ledger: LedgerView = client.get(&path).await.json();
            ledger.intents[0]["refund"].is_object()
        })
        .await;
    }

    /// Waits until the bank has said what becomes of the order's debit.
    pub async fn bank_has_answered(&self, order: OrderId) {
        until("the bank has answered", async || {
            self.intents(order).await[0].status != IntentStatus::Processing
        })
        .await;
    }

    /// Charges an order behind the shop's back, with a key that nobody knows. Returns the
    /// payment's id.
    pub async fn charge_by_hand(&self, order: OrderId) -> String {
        let orders = self.orders(RelayWaker::default()).await;
        let admin = someone(Role::Admin);
        let total = orders.order(&admin, order).await.unwrap().unwrap().total;
        orders.database().close().await.unwrap();
        let request = CreateIntent {
            amount: total,
            payment_method: "pm_card_visa".to_owned(),
            order_id: order,
            idempotency_key: Uuid::now_v7().to_string(),
            traceparent: None,
        };
        let intent = self.stripe(PATIENCE).create_intent(&request).await;
        intent.unwrap().id
    }

    /// What there is to reconcile, and the sum.
    pub async fn reconcile(&self, orders: &Orders, mode: Mode) -> (Vec<Discrepancy>, Reconciled) {
        let provider = self.stripe(PATIENCE);
        let reconciliation = Reconciliation {
            orders,
            provider: Some(&provider),
            clock: Arc::new(self.clock.clone()),
            mode,
            since: None,
        };
        let mut found = Vec::new();
        let run = reconciliation
            .run(&mut |discrepancy| found.push(discrepancy.clone()))
            .await;
        (found, run.unwrap())
    }

    /// Waits until the order's refund, which had succeeded, has failed.
    pub async fn refund_has_failed(&self, order: OrderId) {
        let intent_id = self.intents(order).await[0].id.clone();
        until("the refund has failed", async || {
            let page = self.stripe(PATIENCE).list_refunds(&intent_id).await;
            page.unwrap().items[0].status == RefundStatus::Failed
        })
        .await;
    }

    /// As somebody does at the provider's own pages.
    pub async fn refund_by_hand(&self, order: OrderId) {
        let request = CreateRefund {
            intent_id: self.intents(order).await[0].id.clone(),
            idempotency_key: Uuid::now_v7().to_string(),
            traceparent: None,
        };
        self.stripe(PATIENCE).refund(&request).await.unwrap();
    }

    /// Every invariant holds, and the provider's books agree.
    pub async fn assert_audit_is_green(&self, orders: &Orders) {
        until("the outbox is drained and the audit green", async || {
            let findings = orders.audit().await.unwrap();
            findings.iter().all(|finding| finding.violations == 0)
        })
        .await;
        let refunds = self.stripe(PATIENCE).list_all_refunds(None).await.unwrap();
        assert!(!refunds.has_more);
        let refunded = |intent: &Intent| {
            let of_intent = |refund: &&payment::Refund| {
                refund.status == RefundStatus::Succeeded
                    && refund.intent_id.as_ref() == Some(&intent.id)
            };
            let refunds = refunds.items.iter().filter(of_intent);
            refunds.map(|refund| refund.amount.amount).sum()
        };
        let charged = self.all_intents().await.into_iter();
        let ledger: Vec<_> = charged
            .filter(|intent| intent.status == IntentStatus::Succeeded)
            .map(|intent| LedgerCharge {
                order_id: intent.order_id.unwrap(),
                amount: intent.amount_received,
                refunded: refunded(&intent),
            })
            .collect();
        let finding = orders.audit_ledger(&ledger).await.unwrap();
        assert_eq!(finding.violations, 0, "{finding:?} {ledger:?}");
    }

    async fn all_intents(&self) -> Vec<Intent> {
        let list = ListIntents {
            created_from: self.clock.now() - TimeDelta::days(30),
            created_before: None,
            starting_after: None,
            limit: 100,
        };
        let page = self.stripe(PATIENCE).list_intents(&list).await.unwrap();
        assert!(!page.has_more);
        page.items
    }

    fn stripe(&self, timeout: Duration) -> Stripe {
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

#[derive(serde::Deserialize)]
struct LedgerView {
    intents: Vec<serde_json::Value>,
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
