//! Where a system runs: its addresses, its databases and its servers, for one test.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use plumbline::{Role, settings::Settings};
use tempfile::TempDir;
use testkit::{
    environment::{self, ServiceUrls},
    mail::MailCatcher,
    ports,
    postgres::{FreshDatabase, fresh_database},
};
use uuid::Uuid;

/// The only origin whose pages may call the API, beside our own.
pub const ALLOWED_ORIGIN: &str = "https://app.example";
pub const DEMO_PASSWORD: &str = "plumbline-demo-password";

/// Roles refuse the default secrets, which are public.
const SECRETS: [(&str, &str); 7] = [
    (
        "auth.encryption_key",
        "test:c3VpdGUtb25seS1lbmNyeXB0aW9uLWtleS0wMDAwMDE",
    ),
    (
        "auth.token_secret",
        "c3VpdGUtb25seS10b2tlbi1zZWNyZXQtMDAwMDAwMDAwMDE",
    ),
    (
        "gateway.cursor_secret",
        "c3VpdGUtb25seS1jdXJzb3Itc2VjcmV0LTAwMDAwMDAwMDE",
    ),
    (
        "gateway.client_secret",
        "c3VpdGUtb25seS1jbGllbnQtc2VjcmV0LTAwMDAwMDE",
    ),
    (
        "worker.client_secret",
        "c3VpdGUtb25seS13b3JrZXItc2VjcmV0LTAwMDAwMDE",
    ),
    ("payment.secret_key", "sk_test_suite_only"),
    ("payment.webhook_secrets", "whsec_suite_only"),
];

/// Settings that override the defaults.
#[derive(Clone, Default)]
pub struct Overrides(Vec<(&'static str, String)>);

impl Overrides {
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.0.push((key, value.to_string()));
        self
    }

    pub fn settings(&self, role: Role) -> Settings {
        let loader = Settings::loader().unwrap();
        let set = |loader: service_kit::config::Loader, (key, value): &(&str, String)| {
            loader.set(key, value)
        };
        let loader = self.0.iter().fold(loader, set);
        Settings::load(loader, role).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// Runs the program with these settings in its environment, and returns what it printed.
    pub async fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
        command.args(arguments).stdin(Stdio::null());
        for (key, value) in &self.0 {
            let name = key.to_uppercase().replace('.', "__");
            command.env(format!("PLUMBLINE__{name}"), value);
        }
        let run = move || command.output().expect("the program runs");
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stdout) + &text(&output.stderr))
        }
    }
}

/// What an embedded system needs: a folder.
pub struct Embedded {
    folder: TempDir,
    /// Chosen beforehand, so that the public URL is known, too.
    port: u16,
}

impl Embedded {
    pub fn prepare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            port: ports::free_port().unwrap(),
        }
    }

    pub fn overrides(&self) -> Overrides {
        let folder: &Path = self.folder.path();
        small(Overrides::default())
            .with("server.port", self.port)
            .with("storage.data_dir", folder.display())
    }
}

/// What a distributed system needs, each for this test alone: two databases, a namespace on the
/// broker and the cache, a mail server, and the port that webhooks go to.
pub struct Distributed {
    pub gateway_port: u16,
    pub namespace: String,
    pub amqp_url: String,
    redis_url: String,
    mail_url: String,
    auth: FreshDatabase,
    orders: FreshDatabase,
}

impl Distributed {
    pub async fn prepare(mail: &MailCatcher) -> Self {
        let urls = environment::distributed("the distributed suite");
        let ServiceUrls {
            postgres,
            redis,
            amqp,
        } = urls.expect("the servers of a distributed run");
        Self {
            gateway_port: ports::free_port().unwrap(),
            namespace: format!("suite-{}", Uuid::new_v4().simple()),
            amqp_url: amqp,
            redis_url: redis,
            mail_url: mail.url(),
            auth: fresh_database(&postgres, "suite_auth").await.unwrap(),
            orders: fresh_database(&postgres, "suite_orders").await.unwrap(),
        }
    }

    pub fn overrides(&self, payment_url: &str) -> Overrides {
        let own = Overrides(SECRETS.map(|(key, value)| (key, value.to_owned())).to_vec());
        small(own)
            .with("auth.database_url", self.auth.url())
            .with("orders.database_url", self.orders.url())
            .with("broker.url", &self.amqp_url)
            .with("broker.namespace", &self.namespace)
            .with("cache.url", &self.redis_url)
            .with("cache.namespace", &self.namespace)
            .with("mail.url", &self.mail_url)
            .with("payment.url", payment_url)
            .with(
                "server.public_url",
                format!("http://127.0.0.1:{}", self.gateway_port),
            )
    }

    /// A setting that [`Self::overrides`] takes from [`SECRETS`].
    pub fn secret(key: &str) -> &'static str {
        let found = SECRETS.iter().find(|(name, _)| *name == key);
        found.expect("a secret with this name").1
    }
}

/// Many systems run at once on a few cores.
fn small(overrides: Overrides) -> Overrides {
    overrides
        .with("server.workers", 1)
        .with("server.allowed_origins", ALLOWED_ORIGIN)
        .with("auth.max_connections", 2)
        .with("auth.limits.log_ins_per_client", 100_000)
        .with("auth.limits.log_ins_per_account", 100_000)
        .with("auth.limits.mails_per_recipient", 100_000)
        .with("auth.limits.mail_requests_per_client", 100_000)
        .with("auth.limits.other_requests_per_client", 100_000)
        .with("orders.max_connections", 2)
}
