//! The simulation tells in memory what the use-cases do in transactions. Here the calls of whole
//! schedules are made to the real use-cases over SQLite: each must answer the same and leave the
//! same states and the same stock behind.

use std::{collections::HashMap, sync::Arc};

use cache::{Cache, CacheConfig};
use chrono::TimeDelta;
use database::Database;
use kernel::{Actor, Clock, ManualClock, OrderId, ProductId, Role};
use messaging::RelayWaker;
use migrations::{MigratorTrait, OrdersMigrator};
use orders::{
    ChangeOrderError, ChargeOutcome, Order, Orders, Received, RefundOutcome,
    domain::{OrderStatus, PlaceOrder, RequestedLine},
};
use sea_orm::{ConnectionTrait, Statement, Value};
use simulation::{
    Answer, Call, Counters, MessageId, Options, OrderNumber, Settlement, StockAndStatus,
    random_schedule, run,
};
use testkit::statement::own;
use uuid::Uuid;

const SEEDS: u64 = 40;
const ORDERS: usize = 3;

#[tokio::test]
async fn the_use_cases_answer_as_the_simulation_does() {
    let options = Options {
        orders: ORDERS,
        ..Options::default()
    };
    let mut shop = Shop::open().await;
    for seed in 0..SEEDS {
        let world = run(&random_schedule(seed, &options), &options).world;
        shop.begin_anew().await;
        for (number, (call, answer, left)) in world.calls().iter().enumerate() {
            let told = format!("seed {seed}, call {number}: {call:?}");
            assert_eq!(shop.call(*call).await, *answer, "{told}");
            assert_eq!(shop.look().await, *left, "{told}");
        }
    }
    shop.orders.database().close().await.unwrap();
}

struct Shop {
    orders: Orders,
    clock: ManualClock,
    elapsed: i64,
    customer: Actor,
    operator: Actor,
    product: ProductId,
    placed: Vec<Option<Order>>,
    messages: HashMap<MessageId, Uuid>,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("orders.db").display());
        let database = Database::connect(&url, 1).await.unwrap();
        OrdersMigrator::up(database.writer(), None).await.unwrap();
        let cache = Cache::connect(CacheConfig {
            url: "memory:".to_owned(),
            namespace: "simulation".to_owned(),
            max_entries: 10,
            max_loads: 1,
        });
        let clock = ManualClock::starting_now();
        let orders = Orders::new(
            database,
            cache.await.unwrap(),
            Arc::new(clock.clone()),
            RelayWaker::default(),
        );
        Self {
            orders,
            product: ProductId::generate(clock.now()),
            clock,
            elapsed: 0,
            customer: someone(Role::Customer),
            operator: someone(Role::Admin),
            placed: Vec::new(),
            messages: HashMap::new(),
            _folder: folder,
        }
    }

    /// Another product and no orders of it; those of earlier schedules have come to their ends.
    async fn begin_anew(&mut self) {
        self.product = ProductId::generate(self.clock.now());
        self.elapsed = 0;
        self.placed = vec![None; ORDERS];
        self.messages.clear();
        let id = Value::from(self.product.as_uuid());
        let now = Value::from(self.clock.now());
        self.execute(
            "INSERT INTO products
                (id, name, description, price_amount, price_currency, created_at, updated_at)
                VALUES ($1, 'Bob', '', 100, 'EUR', $2, $2)",
            [id.clone(), now],
        )
        .await;
        self.execute(
            "INSERT INTO stock (product_id, total, available, reserved, sold)
                VALUES ($1, 3, 3, 0, 0)",
            [id],
        )
        .await;
    }

    async fn call(&mut self, call: Call) -> Answer {
        match call {
            Call::Place(order, quantity) => {
                self.place(order, quantity).await;
                Answer::Found(true)
            }
            Call::Cancel(order) => {
                let before = self.orders.status(self.id(order)).await.unwrap();
                let asked = self.orders.cancel(&self.customer, self.id(order)).await;
                moved(before, asked)
            }
            Call::Refund(order) => {
                let before = self.orders.status(self.id(order)).await.unwrap();
                let asked = self.orders.refund(&self.operator, self.id(order)).await;
                moved(before, asked)
            }
            Call::ReserveStock(message, order) => {
                let received = self.received(message);
                let reserved = self.orders.reserve_stock(received, self.id(order));
                Answer::Applied(reserved.await.unwrap())
            }
            Call::BeginCharge(order) => {
                let open = self.orders.begin_charge(self.id(order)).await.unwrap();
                Answer::Found(open.is_some())
            }
            Call::SettleCharge(message, order, settlement) => {
                let (received, outcome) = (self.received(message), self.outcome(order, settlement));
                let settled = self
                    .orders
                    .settle_charge(received, self.id(order), &outcome);
                Answer::Applied(settled.await.unwrap())
            }
            Call::Confirm(message, order) => {
                let received = self.received(message);
                let confirmed = self.orders.confirm(received, self.id(order));
                Answer::Applied(confirmed.await.unwrap())
            }
            Call::CancelUnpaid(message, order) => {
                let received = self.received(message);
                let cancelled = self.orders.cancel_unpaid(received, self.id(order));
                Answer::Applied(cancelled.await.unwrap())
            }
            Call::OpenRefund(order) => {
                let open = self.orders.open_refund(self.id(order)).await.unwrap();
                Answer::Found(open.is_some())
            }
            Call::ChargeInDoubt(order) => {
                let doubt = self.orders.charge_in_doubt(self.id(order)).await;
                Answer::Found(doubt.unwrap().is_some())
            }
            Call::SettleRefund(message, order, intent) => {
                let refund = self.orders.refund_of(&self.intent(intent, order)).await;
                let refund = refund.unwrap().unwrap();
                let received = self.received(message);
                let outcome = RefundOutcome::Succeeded {
                    provider_refund_id: format!("re_{}", self.id(order)),
                    amount: self.placed[order].as_ref().unwrap().total,
                };
                let settled = self.orders.settle_refund(received, refund.id, &outcome);
                Answer::Applied(settled.await.unwrap())
            }
            Call::Acknowledge(message) => {
                let received = self.received(message);
                Answer::Applied(self.orders.acknowledge(received).await.unwrap())
            }
            Call::Mark(message) => {
                self.mark(message).await;
                Answer::Found(true)
            }
            Call::TakeUpOverdue(at) => {
                self.clock.advance(TimeDelta::seconds(at - self.elapsed));
                self.elapsed = at;
                Answer::TakenUp(self.orders.take_up_overdue().await.unwrap())
            }
        }
    }

    async fn place(&mut self, order: OrderNumber, quantity: i64) {
        let request = PlaceOrder {
            idempotency_key: Uuid::now_v7().to_string().parse().unwrap(),
            lines: vec![RequestedLine {
                product_id: self.product,
                quantity,
            }],
            payment_method: "pm_card_visa".to_owned(),
        };
        let placed = self.orders.place(&self.customer, &request).await.unwrap();
        self.placed[order] = Some(placed.into_order());
    }

    /// The provider's names are its own for ever, whatever the schedule.
    fn intent(&self, intent: usize, order: OrderNumber) -> String {
        format!("pi_{intent}_{}", self.id(order))
    }

    fn outcome(&self, order: OrderNumber, settlement: Settlement) -> ChargeOutcome {
        let name = |intent: usize| self.intent(intent, order);
        match settlement {
            Settlement::Succeeded { intent } => ChargeOutcome::Succeeded {
                intent_id: name(intent),
                amount: self.placed[order].as_ref().unwrap().total,
            },
            Settlement::Processing { intent } => ChargeOutcome::Processing {
                intent_id: name(intent),
            },
            Settlement::Declined { intent } => ChargeOutcome::Declined {
                intent_id: intent.map(name),
            },
            Settlement::Unknown => ChargeOutcome::Unknown,
        }
    }

    /// As the relay marks it. A webhook's own event is no order's, and nothing looks for it.
    async fn mark(&self, message: MessageId) {
        let nth = i64::try_from(message.nth).unwrap();
        let now = self.clock.now();
        self.execute(
            "UPDATE outbox SET published_at = $1 WHERE id IN (
                SELECT id FROM outbox WHERE aggregate_id = $2 AND event_type = $3
                ORDER BY available_at, id LIMIT 1 OFFSET $4)",
            [
                now.into(),
                self.id(message.order).as_uuid().into(),
                message.event_type.into(),
                nth.into(),
            ],
        )
        .await;
    }

    async fn look(&self) -> StockAndStatus {
        let mut orders = Vec::new();
        for placed in &self.placed {
            orders.push(match placed {
                Some(order) => self.orders.status(order.id).await.unwrap(),
                None => None,
            });
        }
        let statement = Statement::from_sql_and_values(
            self.orders.database().backend(),
            own("SELECT available, reserved, sold FROM stock WHERE product_id = $1"),
            [self.product.as_uuid().into()],
        );
        let row = self.orders.database().writer().query_one_raw(statement);
        let row = row.await.unwrap().unwrap();
        let counter = |index| row.try_get_by_index(index).unwrap();
        StockAndStatus {
            stock: Counters {
                available: counter(0),
                reserved: counter(1),
                sold: counter(2),
            },
            orders,
        }
    }

    fn id(&self, order: OrderNumber) -> OrderId {
        self.placed[order].as_ref().unwrap().id
    }

    fn received(&mut self, message: MessageId) -> Received {
        Received {
            consumer: "simulation",
            message_id: *self.messages.entry(message).or_insert_with(Uuid::now_v7),
        }
    }

    async fn execute(&self, sql: &str, values: impl IntoIterator<Item = Value>) {
        let database = self.orders.database();
        let statement = Statement::from_sql_and_values(database.backend(), own(sql), values);
        database.writer().execute_raw(statement).await.unwrap();
    }
}

fn someone(role: Role) -> Actor {
    Actor::of_session(Uuid::now_v7().into(), Uuid::now_v7().into(), vec![role])
}

/// Whether the order was moved: asked for again, `cancel` and `refund` answer as they did before.
fn moved(before: Option<OrderStatus>, asked: Result<Order, ChangeOrderError>) -> Answer {
    match asked {
        Ok(order) => Answer::Found(Some(order.status) != before),
        Err(ChangeOrderError::WrongState(_)) => Answer::Found(false),
        Err(error) => panic!("{error}"),
    }
}
