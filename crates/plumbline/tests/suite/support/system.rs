//! The system under test.

use std::{net::SocketAddr, sync::Arc};

use database::Database;
use kernel::{SharedClock, SystemClock};
use messaging::{Broker, BrokerConfig, DeadLetter, Message, QueueSpec};
use payment_double::{DoubleConfig, PaymentDouble};
use plumbline::{Role, Running, start};
use secrecy::SecretString;
use serde_json::Value;
use testkit::{environment, http::Client, mail::MailCatcher};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    events,
    mail::Mail,
    place::{DEMO_PASSWORD, Distributed, Embedded, Overrides},
    rest,
};

/// A running system with the demo shop. A test ends with [`System::stop`], which also checks that
/// nothing was left behind.
pub struct System {
    /// Where auth answers.
    pub auth: Client,
    /// Where the gateway answers.
    pub gateway: Client,
    /// Where the worker answers.
    pub worker: Client,
    /// Where the gateway's `/metrics` are.
    pub metrics: Client,
    /// The payment double.
    pub payments: Client,
    pub webhook_secret: SecretString,
    pub mail: Mail,
    /// With the payment double's address.
    overrides: Overrides,
    broker: Broker,
    roles: Vec<Running>,
    /// Beside a distributed system. An embedded one has its own.
    double: Option<(payment_double::Running, CancellationToken)>,
    /// Goes last.
    _place: Place,
    unstopped: Unstopped,
}

enum Place {
    Embedded { _place: Embedded },
    Distributed { _place: Box<Distributed> },
}

/// Fails a test that forgets [`System::stop`].
struct Unstopped;

impl Drop for Unstopped {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a test ends with System::stop");
    }
}

impl System {
    /// Starts it in the mode of the environment.
    pub async fn start() -> Self {
        if Self::is_distributed() {
            Self::distributed().await
        } else {
            Self::embedded().await
        }
    }

    pub fn is_distributed() -> bool {
        match std::env::var(environment::MODE).as_deref() {
            Ok("distributed") => true,
            Ok("embedded") | Err(_) => false,
            Ok(other) => panic!(
                "{} is embedded or distributed, not {other}",
                environment::MODE
            ),
        }
    }

    async fn embedded() -> Self {
        Self::embedded_with(|overrides| overrides).await
    }

    /// The embedded one, with other settings.
    pub async fn embedded_with(change: impl FnOnce(Overrides) -> Overrides) -> Self {
        let place = Embedded::prepare();
        let overrides = change(place.overrides());
        let settings = overrides.settings(Role::All);
        let secret_key = settings.payment.secret_key.clone();
        let webhook_secret = settings.payment.webhook_secrets[0].clone().into();
        let running = start(settings, Role::All, clock()).await.unwrap();
        let client = client_of(&running);
        Self {
            auth: client.clone(),
            gateway: client.clone(),
            worker: client.clone(),
            metrics: client.clone(),
            payments: Client::new(&running.payment_url).with_bearer(secret_key),
            webhook_secret,
            mail: Mail::DevMailbox(client),
            overrides: overrides.with("payment.url", &running.payment_url),
            broker: running.broker().clone(),
            roles: vec![running],
            double: None,
            _place: Place::Embedded { _place: place },
            unstopped: Unstopped,
        }
    }

    async fn distributed() -> Self {
        let mail = MailCatcher::start().await.unwrap();
        let place = Distributed::prepare(&mail).await;
        let stop_double = CancellationToken::new();
        let double = start_double(&place, stop_double.clone());
        let overrides = place.overrides(&double.base_url());
        overrides.run(&["migrate", "up"]).await.unwrap();
        let seed = ["seed", "--password", DEMO_PASSWORD];
        overrides.run(&seed).await.unwrap();

        let grpc_port = testkit::ports::free_port().unwrap();
        let for_auth = overrides
            .clone()
            .with("server.port", 0)
            .with("auth.grpc_port", grpc_port);
        let auth = start_role(&for_auth, Role::Auth).await;
        let overrides = overrides
            .with("auth.url", format!("http://{}", auth.addr))
            .with("auth.grpc_url", format!("http://127.0.0.1:{grpc_port}"));
        let metrics_port = testkit::ports::free_port().unwrap();
        let for_gateway = overrides
            .clone()
            .with("server.port", place.gateway_port)
            .with("server.metrics_port", metrics_port);
        let gateway = start_role(&for_gateway, Role::Gateway).await;
        let worker = start_role(&overrides.clone().with("server.port", 0), Role::Worker).await;

        let config = BrokerConfig::new(&place.amqp_url, &place.namespace);
        let queues = queues();
        let broker = Broker::connect(config, &queues, CancellationToken::new());
        Self {
            auth: client_of(&auth),
            gateway: client_of(&gateway),
            worker: client_of(&worker),
            metrics: Client::new(format!("http://127.0.0.1:{metrics_port}")),
            payments: Client::new(double.base_url())
                .with_bearer(Distributed::secret("payment.secret_key")),
            webhook_secret: Distributed::secret("payment.webhook_secrets").into(),
            mail: Mail::Server(mail),
            overrides,
            broker: broker.await.unwrap(),
            roles: vec![worker, gateway, auth],
            double: Some((double, stop_double)),
            _place: Place::Distributed {
                _place: Box::new(place),
            },
            unstopped: Unstopped,
        }
    }

    /// The id of a product of which there is plenty.
    pub async fn product(&self) -> String {
        self.find_product(|available| available > 1000).await
    }

    /// The id of a product of which there is none left.
    pub async fn sold_out_product(&self) -> String {
        self.find_product(|available| available == 0).await
    }

    async fn find_product(&self, wanted: impl Fn(i64) -> bool) -> String {
        let page = self.gateway.get("/v1/products?first=100").await;
        let page: Value = page.expect_status(200).json();
        let mut products = page["items"].as_array().unwrap().iter();
        let found = products.find(|product| wanted(product["available"].as_i64().unwrap()));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// How many pieces of a product can be ordered now.
    pub async fn available(&self, product_id: &str) -> i64 {
        let path = format!("/v1/products/{product_id}");
        let product: Value = self.gateway.get(&path).await.expect_status(200).json();
        product["available"].as_i64().unwrap()
    }

    /// What the payment double's books say of an order: its intents, the newest first.
    pub async fn charges(&self, order_id: &str) -> Vec<Value> {
        let path = format!("/double/ledger?order_id={order_id}");
        let mut ledger: Value = self.payments.get(&path).await.expect_status(200).json();
        serde_json::from_value(ledger["intents"].take()).unwrap()
    }

    /// `plumbline audit` over this system's databases and the payment double's books.
    pub async fn audit(&self) {
        if let Err(report) = self.overrides.run(&["audit"]).await {
            panic!("the audit is not green:\n{report}");
        }
    }

    /// A command over this system's settings: what it says, or, where it exits with another status
    /// than 0, what it says then.
    pub async fn command(&self, arguments: &[&str]) -> Result<String, String> {
        self.overrides.run(arguments).await
    }

    /// The identity context's database; close it afterwards.
    pub async fn auth_database(&self) -> Database {
        let settings = self.overrides.settings(Role::All);
        Database::connect(&settings.auth.database_url, 1)
            .await
            .unwrap()
    }

    /// The ordering context's database; close it afterwards.
    pub async fn orders_database(&self) -> Database {
        let settings = self.overrides.settings(Role::All);
        Database::connect(&settings.orders.database_url, 1)
            .await
            .unwrap()
    }

    /// Waits until every order has ended and every event is published.
    pub async fn at_rest(&self) {
        rest::wait(&self.overrides.settings(Role::All)).await;
    }

    /// What no consumer could handle, of all queues.
    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        let mut letters = Vec::new();
        for queue in queues() {
            letters.extend(self.broker.dead_letters(queue.name, 10).await.unwrap());
        }
        letters
    }

    /// Sends a message as the relay does.
    pub async fn publish(&self, message: Message) {
        for published in self.broker.publish(&[message]).await {
            published.unwrap();
        }
    }

    /// Ends the system, once it has come to rest, and fails unless the auditor is content, every
    /// event is as its schema says, and there is no dead letter.
    pub async fn stop(self) {
        self.at_rest().await;
        self.audit().await;
        let databases = [self.auth_database().await, self.orders_database().await];
        events::assert_as_declared(&databases).await;
        for database in databases {
            database.close().await.unwrap();
        }
        let dead_letters = self.dead_letters().await;
        for role in self.roles {
            role.stop().await;
        }
        if let Some((double, stop)) = self.double {
            stop.cancel();
            double.stopped().await;
        }
        self.broker.delete_topology().await.unwrap();
        self.broker.close().await;
        std::mem::forget(self.unstopped);
        assert!(dead_letters.is_empty(), "dead letters: {dead_letters:#?}");
    }
}

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

async fn start_role(overrides: &Overrides, role: Role) -> Running {
    start(overrides.settings(role), role, clock())
        .await
        .unwrap()
}

fn client_of(running: &Running) -> Client {
    Client::new(format!("http://{}", running.addr))
}

fn start_double(place: &Distributed, stop: CancellationToken) -> payment_double::Running {
    let mut config = DoubleConfig::new(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        Distributed::secret("payment.secret_key").into(),
        Distributed::secret("payment.webhook_secrets").into(),
    );
    let webhooks = format!("http://127.0.0.1:{}/webhooks/stripe", place.gateway_port);
    config.webhook_url = Some(Url::parse(&webhooks).unwrap());
    PaymentDouble::start(config, clock(), stop).unwrap()
}

fn queues() -> Vec<QueueSpec> {
    let mut queues = auth::queues();
    queues.extend([order_worker::QUEUE, order_worker::MAIL_QUEUE]);
    queues
}
