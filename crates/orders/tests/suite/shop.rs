//! A shop to test in: its products, its customers, and the steps that a worker takes.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use cache::{Cache, CacheConfig};
use chrono::TimeDelta;
use database::Database;
use kernel::{Actor, Clock, Currency, ManualClock, Money, OrderId, ProductId, Role};
use messaging::RelayWaker;
use orders::{
    Applied, ChargeOutcome, Order, Orders, PlaceOrderError, Placed, Received, RefundOutcome,
    domain::{InvalidField, OrderStatus, PlaceOrder, RequestedLine},
};
use sea_orm::{ConnectionTrait, Statement, Value};
use testkit::statement::own;
use uuid::Uuid;

use crate::databases::POOL;

pub const CONSUMER: &str = "test.saga";

pub struct Shop {
    pub orders: Orders,
    pub clock: ManualClock,
    url: String,
    products: AtomicI64,
}

/// The counters of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
}

pub fn counters(available: i64, reserved: i64, sold: i64) -> Counters {
    Counters {
        available,
        reserved,
        sold,
    }
}

pub fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

pub fn someone(role: Role) -> Actor {
    Actor::of_session(Uuid::now_v7().into(), Uuid::now_v7().into(), vec![role])
}

pub fn customer() -> Actor {
    someone(Role::Customer)
}

/// A message that no one has received yet.
pub fn message() -> Received {
    Received {
        consumer: CONSUMER,
        message_id: Uuid::now_v7(),
    }
}

/// A request with a key of its own.
pub fn request(lines: &[(ProductId, i64)]) -> PlaceOrder {
    PlaceOrder {
        idempotency_key: Uuid::now_v7().to_string().parse().unwrap(),
        lines: lines
            .iter()
            .map(|&(product_id, quantity)| RequestedLine {
                product_id,
                quantity,
            })
            .collect(),
        payment_method: "pm_card_visa".to_owned(),
    }
}

/// The fields and codes of a refusal.
pub fn refused(placed: Result<Placed, PlaceOrderError>) -> Vec<(String, &'static str)> {
    match placed {
        Err(PlaceOrderError::Invalid(problems)) => {
            let told = |problem: InvalidField| (problem.field, problem.code);
            problems.into_iter().map(told).collect()
        }
        other => panic!("not refused for its fields: {other:?}"),
    }
}

impl Shop {
    pub async fn open(database: Database, url: String) -> Self {
        let clock = ManualClock::starting_now();
        Self {
            orders: orders_over(database, &clock).await,
            clock,
            url,
            products: AtomicI64::new(0),
        }
    }

    pub fn database(&self) -> &Database {
        self.orders.database()
    }

    /// The same shop as another process sees it: with connections and a cache of its own.
    pub async fn another_process(&self) -> Orders {
        let database = Database::connect(&self.url, POOL).await.unwrap();
        orders_over(database, &self.clock).await
    }

    /// Another process whose statements `observer` hears of.
    pub async fn observed_process(
        &self,
        observer: impl Fn(&str) + Send + Sync + 'static,
    ) -> Orders {
        let database = Database::connect(&self.url, POOL).await.unwrap();
        orders_over(database.observed(observer), &self.clock).await
    }

    /// The same shop, which tells of every statement that it asks.
    pub async fn observed(&self, observer: impl Fn(&str) + Send + Sync + 'static) -> Orders {
        orders_over(self.database().clone().observed(observer), &self.clock).await
    }

    pub async fn add_product(&self, name: &str, price: Money, stock: i64) -> ProductId {
        // A millisecond apart, so that the catalogue's order is that of this function's calls.
        let number = self.products.fetch_add(1, Ordering::Relaxed);
        let created_at = self.clock.now() + TimeDelta::milliseconds(number);
        let id = ProductId::generate(created_at);
        self.execute(
            "INSERT INTO products
                (id, name, description, price_amount, price_currency, created_at, updated_at)
                VALUES ($1, $2, '', $3, $4, $5, $5)",
            [
                id.as_uuid().into(),
                name.into(),
                price.amount.into(),
                price.currency.code().into(),
                created_at.into(),
            ],
        )
        .await;
        self.execute(
            "INSERT INTO stock (product_id, total, available, reserved, sold)
                VALUES ($1, $2, $2, 0, 0)",
            [id.as_uuid().into(), stock.into()],
        )
        .await;
        id
    }

    pub async fn place(&self, actor: &Actor, lines: &[(ProductId, i64)]) -> Order {
        let placed = self.orders.place(actor, &request(lines)).await;
        placed.expect("the order is accepted").into_order()
    }

    /// Takes a placed order to STOCK_RESERVED, or to REJECTED.
    pub async fn reserve(&self, order: OrderId) {
        let applied = self.orders.reserve_stock(message(), order).await;
        assert_eq!(applied.unwrap(), Applied::Done);
    }

    pub async fn settle(&self, order: OrderId, outcome: &ChargeOutcome) -> Applied {
        let settled = self.orders.settle_charge(message(), order, outcome).await;
        settled.unwrap()
    }

    /// An order for one piece whose charge is under way.
    pub async fn charging(&self, product: ProductId) -> Order {
        let order = self.place(&customer(), &[(product, 1)]).await;
        self.reserve(order.id).await;
        self.orders.begin_charge(order.id).await.unwrap().unwrap();
        order
    }

    /// Takes a reserved order to CONFIRMED.
    pub async fn confirm(&self, order: &Order) {
        self.orders.begin_charge(order.id).await.unwrap().unwrap();
        let paid = succeeded(order);
        assert_eq!(self.settle(order.id, &paid).await, Applied::Done);
        let confirmed = self.orders.confirm(message(), order.id).await.unwrap();
        assert_eq!(confirmed, Applied::Done);
    }

    /// An order for one piece that is confirmed.
    pub async fn confirmed(&self, product: ProductId) -> Order {
        let order = self.place(&customer(), &[(product, 1)]).await;
        self.reserve(order.id).await;
        self.confirm(&order).await;
        order
    }

    /// Settles the refund of the order's own payment.
    pub async fn settle_refund(&self, order: OrderId, outcome: &RefundOutcome) -> Applied {
        self.settle_refund_of(&format!("pi_{order}"), outcome).await
    }

    pub async fn settle_refund_of(&self, intent_id: &str, outcome: &RefundOutcome) -> Applied {
        let refund = self.orders.refund_of(intent_id).await.unwrap().unwrap();
        let settled = self
            .orders
            .settle_refund(message(), refund.id, outcome)
            .await;
        settled.unwrap()
    }

    /// An order that is taken back while its charge is under way.
    pub async fn taken_back(&self, product: ProductId) -> Order {
        let ada = customer();
        let order = self.place(&ada, &[(product, 1)]).await;
        self.reserve(order.id).await;
        self.orders.begin_charge(order.id).await.unwrap().unwrap();
        let asked = self.orders.cancel(&ada, order.id).await.unwrap();
        assert_eq!(asked.status, OrderStatus::CancelRequested);
        asked
    }

    /// The invariants that don't hold.
    pub async fn breached(&self) -> Vec<&'static str> {
        let findings = self.orders.audit().await.unwrap().into_iter();
        let breached = findings.filter(|finding| finding.violations > 0);
        breached.map(|finding| finding.invariant).collect()
    }

    pub async fn status(&self, order: OrderId) -> OrderStatus {
        self.orders.status(order).await.unwrap().unwrap()
    }

    pub async fn stock(&self, product: ProductId) -> Counters {
        let sql = "SELECT available, reserved, sold FROM stock WHERE product_id = $1";
        let statement = self.statement(sql, [product.as_uuid().into()]);
        let row = self.database().writer().query_one_raw(statement).await;
        let row = row.unwrap().expect("the product has stock");
        let counter = |index| row.try_get_by_index(index).unwrap();
        counters(counter(0), counter(1), counter(2))
    }

    /// Every invariant holds but for what the relay has not published.
    pub async fn audit_is_green(&self) -> bool {
        self.publish_all().await;
        let findings = self.orders.audit().await.unwrap();
        findings.iter().all(|finding| finding.violations == 0)
    }

    /// As if the relay had published everything.
    pub async fn publish_all(&self) {
        let now = self.clock.now().into();
        self.execute(
            "UPDATE outbox SET published_at = $1 WHERE published_at IS NULL",
            [now],
        )
        .await;
    }

    /// How many events of a type have been written about an aggregate.
    pub async fn events(&self, event_type: &str, aggregate: OrderId) -> i64 {
        self.count(
            "SELECT COUNT(*) FROM outbox WHERE event_type = $1 AND aggregate_id = $2",
            [event_type.into(), aggregate.as_uuid().into()],
        )
        .await
    }

    pub async fn count(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> i64 {
        let statement = self.statement(sql, values);
        let row = self.database().writer().query_one_raw(statement).await;
        row.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// Returns how many rows were affected.
    pub async fn execute(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> u64 {
        let statement = self.statement(sql, values);
        let executed = self.database().writer().execute_raw(statement).await;
        executed.expect(sql).rows_affected()
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.database().backend(), own(sql), values)
    }
}

async fn orders_over(database: Database, clock: &ManualClock) -> Orders {
    let config = CacheConfig {
        url: "memory:".to_owned(),
        namespace: "test".to_owned(),
        max_entries: 1_000,
        max_loads: 2,
    };
    let cache = Cache::connect(config).await.unwrap();
    Orders::new(
        database,
        cache,
        Arc::new(clock.clone()),
        RelayWaker::default(),
    )
}

/// The provider took exactly the order's total.
pub fn succeeded(order: &Order) -> ChargeOutcome {
    ChargeOutcome::Succeeded {
        intent_id: format!("pi_{}", order.id),
        amount: order.total,
    }
}

/// The provider gave back exactly the order's total.
pub fn refunded(order: &Order) -> RefundOutcome {
    RefundOutcome::Succeeded {
        provider_refund_id: format!("re_{}", order.id),
        amount: order.total,
    }
}

pub fn ids(orders: &[Order]) -> Vec<OrderId> {
    orders.iter().map(|order| order.id).collect()
}

/// The provider did not give it back.
pub fn refund_failed() -> RefundOutcome {
    RefundOutcome::Failed {
        provider_refund_id: None,
        reason: "the bank refused".to_owned(),
    }
}
