//! The distributed mode: databases, a broker's namespace and a cache of its own, on shared servers.

use messaging::{Broker, BrokerConfig};
use testkit::{
    environment::{self, ServiceUrls},
    mail::MailCatcher,
    postgres::{FreshDatabase, fresh_database},
};
use tokio_util::sync::CancellationToken;

use super::{DEMO_PASSWORD, Settings, run, setting};

/// With what one may ask the payment double.
pub const PROVIDER_KEY: &str = "sk_test_process";

/// Roles refuse the default secrets, which are public.
const SECRETS: [(&str, &str); 7] = [
    (
        "auth.encryption_key",
        "test:dGVzdC1vbmx5LWVuY3J5cHRpb24ta2V5LTAwMDAwMDE",
    ),
    (
        "auth.token_secret",
        "dGVzdC1vbmx5LXRva2VuLXNlY3JldC0wMDAwMDAwMDE",
    ),
    (
        "gateway.cursor_secret",
        "dGVzdC1vbmx5LWN1cnNvci1zZWNyZXQtMDAwMDAwMDE",
    ),
    (
        "gateway.client_secret",
        "dGVzdC1vbmx5LWNsaWVudC1zZWNyZXQtMDAwMDAwMDE",
    ),
    (
        "worker.client_secret",
        "dGVzdC1vbmx5LXdvcmtlci1zZWNyZXQtMDAwMDAwMDE",
    ),
    ("payment.secret_key", PROVIDER_KEY),
    ("payment.webhook_secrets", "whsec_process"),
];

/// Settings with no secret of development.
pub fn own_secrets() -> Settings {
    SECRETS.map(|(key, value)| setting(key, value)).to_vec()
}

/// The servers, or `None`, said loudly, when this is an embedded run.
pub fn services(test: &str) -> Option<ServiceUrls> {
    if std::env::var(environment::MODE).is_ok_and(|mode| mode == "embedded") {
        environment::left_out(test, "the distributed mode");
        return None;
    }
    environment::distributed(test)
}

/// What the roles of one test share.
pub struct Distributed {
    pub settings: Settings,
    broker: BrokerConfig,
    _databases: [FreshDatabase; 2],
    _mail: MailCatcher,
}

impl Distributed {
    /// Databases that have no schema yet, and settings for every role that lack only the
    /// addresses of other roles.
    pub async fn new(urls: &ServiceUrls) -> Self {
        let auth = fresh_database(&urls.postgres, "auth").await.unwrap();
        let orders = fresh_database(&urls.postgres, "orders").await.unwrap();
        let mail = MailCatcher::start().await.unwrap();
        // As unique as the database's name, which has a random part.
        let (_, namespace) = orders.url().rsplit_once('/').unwrap();
        let mut settings = own_secrets();
        settings.extend([
            setting("auth.database_url", auth.url()),
            setting("auth.max_connections", 2),
            setting("orders.database_url", orders.url()),
            setting("orders.max_connections", 2),
            setting("broker.url", &urls.amqp),
            setting("broker.namespace", namespace),
            setting("cache.url", &urls.redis),
            setting("cache.namespace", namespace),
            setting("mail.url", mail.url()),
        ]);
        let broker = BrokerConfig::new(&urls.amqp, namespace);
        Self {
            settings,
            broker,
            _databases: [auth, orders],
            _mail: mail,
        }
    }

    /// Migrates, and fills the shop.
    pub async fn set_up(&self) {
        let mut settings = self.settings.clone();
        settings.push(setting("payment.url", "https://payment.example"));
        run(&["migrate", "up"], &settings).await.expect_code(0);
        let seed = ["seed", "--password", DEMO_PASSWORD];
        run(&seed, &settings).await.expect_code(0);
    }

    /// Removes what is left in the broker. The databases go with this value.
    pub async fn remove(self) {
        let mut queues = auth::queues();
        queues.extend([order_worker::QUEUE, order_worker::MAIL_QUEUE]);
        let connected = Broker::connect(self.broker, &queues, CancellationToken::new()).await;
        let broker = connected.unwrap();
        broker.delete_topology().await.unwrap();
        broker.close().await;
    }
}
