//! The whole gateway over a shop of its own: a database of its own, the broker inside the
//! process, a relay. Nobody works on the orders: a test takes the steps itself.

use std::ops::Deref;
use std::sync::Arc;

use cache::{Cache, CacheConfig, RedisLink};
use contracts::{
    Envelope,
    order_event::{self, OrderTransitioned},
    product_event::{self, ProductChanged},
};
use gateway::graphql::engine::EngineConfig;
use gateway::graphql::http::HttpConfig;
use gateway::graphql::websocket::SocketConfig;
use gateway::{Gateway, GatewayConfig, GatewayDeps, LimitsConfig};
use kernel::{Clock, ManualClock, OrderId};
use messaging::{Broker, BrokerConfig, Message, QueueSpec, Relay, RelayConfig, RelayWaker};
use orders::{Applied, ChargeOutcome, Orders, Received};
use reqwest::RequestBuilder;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
use secrecy::SecretString;
use serde_json::{Value, json};
use service_kit::lifecycle::Shutdown;
use service_kit::revocation::RevocationList;
use uuid::Uuid;

use super::home::{Home, Statements};
use super::stub::limits;
use super::{Api, People, Reply, Socket, Tokens};

/// An event is published only when a queue takes it.
const QUEUE: QueueSpec = QueueSpec {
    name: "test",
    bindings: &["#"],
    delivery_limit: 1,
};

pub struct Shop {
    api: Api,
    pub tokens: Tokens,
    pub people: People,
    pub clock: ManualClock,
    orders: Orders,
    broker: Broker,
    shutdown: Shutdown,
    /// What the gateway asked of the database, without the relay.
    pub statements: Statements,
    _home: Home,
}

impl Shop {
    pub const WEBHOOK_SECRET: &str = "whsec_test";

    /// A shop with the demo catalogue.
    pub async fn open() -> Self {
        Self::open_arranged(LimitsConfig::default(), |_| {}).await
    }

    /// One with other limits.
    pub async fn open_with(limits_config: LimitsConfig) -> Self {
        Self::open_arranged(limits_config, |_| {}).await
    }

    /// A shop in which nobody can tell whose session was revoked.
    pub async fn open_without_revocations() -> Self {
        // Nobody listens there.
        let redis = RedisLink::connect("redis://127.0.0.1:1").await.unwrap();
        Self::open_arranged(LimitsConfig::default(), |tokens| {
            let clock = Arc::new(tokens.clock.clone());
            tokens.revocations = RevocationList::over(redis, "test", clock);
        })
        .await
    }

    async fn open_arranged(limits_config: LimitsConfig, arrange: impl FnOnce(&mut Tokens)) -> Self {
        let home = Home::new().await;
        let database = home.database().await;
        let statements = Statements::default();
        let clock = ManualClock::starting_now();
        let shared_clock: Arc<ManualClock> = Arc::new(clock.clone());
        let shutdown = Shutdown::new();
        let memory = BrokerConfig::new("memory:", "test");
        let broker = Broker::connect(memory, &[QUEUE], shutdown.soft())
            .await
            .unwrap();
        let cache = CacheConfig {
            url: "memory:".to_owned(),
            namespace: "test".to_owned(),
            max_entries: 100,
            max_loads: 2,
        };
        let cache = Cache::connect(cache).await.unwrap();
        let waker = RelayWaker::default();
        let orders = Orders::new(
            statements.observe(database.clone()),
            cache,
            shared_clock.clone(),
            waker.clone(),
        );
        orders.seed_demo_shop().await.unwrap();
        let config = RelayConfig::default();
        let relay = Relay::new(
            database,
            broker.clone(),
            shared_clock.clone(),
            config,
            waker,
        );
        let stop = shutdown.soft();
        shutdown.spawn("relay", async move { relay.run(stop).await });
        let mut tokens = Tokens::new(clock.clone());
        arrange(&mut tokens);
        let people = People::default();
        let config = GatewayConfig {
            cursor_secret: vec![7; 32].into(),
            webhook_secrets: vec![SecretString::from(Self::WEBHOOK_SECRET)],
            introspection: true,
            engine: EngineConfig::default(),
            http: HttpConfig::default(),
            sockets: SocketConfig::default(),
        };
        let deps = GatewayDeps {
            orders: orders.clone(),
            broker: broker.clone(),
            verifier: tokens.verifier(),
            directory: people.directory(&clock),
            limits: limits(limits_config, &clock),
            clock: shared_clock,
            shutdown: shutdown.clone(),
        };
        let gateway = Gateway::build(config, deps);
        gateway.spawn_background(&shutdown);
        let api = Api::serve(move |config| gateway.configure(config));
        Self {
            api,
            tokens,
            people,
            clock,
            orders,
            broker,
            shutdown,
            statements,
            _home: home,
        }
    }

    /// A customer's token.
    pub fn customer(&self, number: u128) -> String {
        self.tokens.of(Uuid::from_u128(number), 600)
    }

    /// A GraphQL request of a customer.
    pub async fn ask(&self, customer: u128, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables });
        let request = self.post(&body);
        Reply::to(request.header("authorization", self.customer(customer))).await
    }

    /// A GraphQL request of somebody with a role.
    pub async fn ask_as(&self, role: &str, query: &str, variables: Value) -> Reply {
        let staff = Uuid::from_u128(1_000_000);
        let token = self.tokens.with_role(staff, role, "plumbline");
        let body = json!({ "query": query, "variables": variables });
        Reply::to(self.post(&body).header("authorization", token)).await
    }

    /// A REST request of a customer.
    pub fn rest(&self, customer: u128, method: &str, path: &str) -> RequestBuilder {
        self.call(method, path)
            .header("authorization", self.customer(customer))
    }

    /// Places an order for one piece of a product over REST.
    pub async fn place(&self, customer: u128, product_id: &str) -> Value {
        let body = json!({
            "lines": [{"product_id": product_id, "quantity": 1}],
            "payment_method": "pm_card_visa",
        });
        let request = self.rest(customer, "POST", "/v1/orders").json(&body);
        let request = request.header("idempotency-key", Uuid::new_v4().to_string());
        let reply = Reply::to(request).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body
    }

    /// The ids of `count` products, and whether they are in stock.
    pub async fn products(&self, count: u8) -> Vec<(String, bool)> {
        let reply = Reply::to(self.call("GET", &format!("/v1/products?first={count}"))).await;
        let items = reply.body["items"].as_array().unwrap();
        let facts = items.iter().map(|item| {
            let is_available = item["available"].as_i64().unwrap() > 0;
            (item["id"].as_str().unwrap().to_owned(), is_available)
        });
        facts.collect()
    }

    /// A product of which there is plenty.
    pub async fn product(&self) -> String {
        let products = self.products(100).await;
        products
            .into_iter()
            .find(|(_, is_available)| *is_available)
            .unwrap()
            .0
    }

    /// A product of which there is none left.
    pub async fn sold_out_product(&self) -> String {
        let products = self.products(100).await;
        products
            .into_iter()
            .find(|(_, is_available)| !is_available)
            .unwrap()
            .0
    }

    /// Keeps everybody else from writing, until it ends.
    pub async fn hold_writer(&self) -> DatabaseTransaction {
        self.orders.database().begin().await.unwrap()
    }

    /// Renames a product behind the back of the gateway.
    pub async fn rename(&self, product_id: &str, name: &str) {
        let id = Uuid::parse_str(product_id).unwrap();
        let database = self.orders.database();
        let (sql, values) = (
            "UPDATE products SET name = $1 WHERE id = $2",
            [name.into(), id.into()],
        );
        let statement = Statement::from_sql_and_values(
            database.backend(),
            testkit::statement::own(sql),
            values,
        );
        let renamed = database.writer().execute_raw(statement).await.unwrap();
        assert_eq!(renamed.rows_affected(), 1);
    }

    /// Tells, as another process would, that a product has changed.
    pub async fn tell_changed(&self, product_id: &str) {
        let id = Uuid::parse_str(product_id).unwrap();
        let (event_id, at, name) = (Uuid::new_v4(), self.clock.now(), product_event::CHANGED);
        let data = ProductChanged {
            product_id: id.into(),
            at,
        };
        let event = Envelope::new(event_id, order_event::SOURCE, name, id, at, None, data);
        let message = Message {
            id: event_id,
            event_type: name.to_owned(),
            aggregate_id: id,
            body: event.encode().unwrap().into(),
            traceparent: None,
        };
        for published in self.broker.publish(&[message]).await {
            published.unwrap();
        }
    }

    /// Takes the first step of an order, as the worker would.
    pub async fn reserve_stock(&self, order: &Value) {
        let order_id: OrderId = order["id"].as_str().unwrap().parse().unwrap();
        let received = Received {
            consumer: "test",
            message_id: Uuid::new_v4(),
        };
        let _ = self.orders.reserve_stock(received, order_id).await.unwrap();
    }

    /// Takes an order to CONFIRMED, as the worker would.
    pub async fn confirm(&self, order: &Value) {
        self.reserve_stock(order).await;
        let order_id: OrderId = order["id"].as_str().unwrap().parse().unwrap();
        let received = || Received {
            consumer: "test",
            message_id: Uuid::new_v4(),
        };
        let charge = self.orders.begin_charge(order_id).await.unwrap().unwrap();
        let paid = ChargeOutcome::Succeeded {
            intent_id: format!("pi_{order_id}"),
            amount: charge.amount,
        };
        let settled = self.orders.settle_charge(received(), order_id, &paid).await;
        assert_eq!(settled.unwrap(), Applied::Done);
        let confirmed = self.orders.confirm(received(), order_id).await;
        assert_eq!(confirmed.unwrap(), Applied::Done);
    }

    /// Tells of an order, as the relay does, that it went through these states one after the other.
    pub async fn tell(&self, order: &Value, customer: u128, statuses: &[&str]) {
        let order_id: Uuid = order["id"].as_str().unwrap().parse().unwrap();
        let event = |(version, status): (i32, &&str)| {
            let (id, at) = (Uuid::new_v4(), self.clock.now());
            let event_type = format!("orders.order.{}.v1", status.to_lowercase());
            let data = OrderTransitioned {
                order_id: order_id.into(),
                customer_id: Uuid::from_u128(customer).into(),
                status: (*status).to_owned(),
                version,
                at,
            };
            let source = order_event::SOURCE;
            let event = Envelope::new(id, source, &event_type, order_id, at, None, data);
            Message {
                id,
                event_type,
                aggregate_id: order_id,
                body: serde_json::to_vec(&event).unwrap().into(),
                traceparent: None,
            }
        };
        let messages: Vec<_> = (2..).zip(statuses).map(event).collect();
        for published in self.broker.publish(&messages).await {
            published.unwrap();
        }
    }

    /// A customer's initialised WebSocket connection.
    pub async fn socket(&self, customer: u128) -> Socket {
        self.socket_by(&self.customer(customer)).await
    }

    /// The same of whoever has this token.
    pub async fn socket_by(&self, token: &str) -> Socket {
        let mut socket = Socket::open(&self.address).await;
        socket.init(token).await;
        socket
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

impl Deref for Shop {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}
