//! A whole system, of which one process is about to crash.

use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use testkit::{environment::ServiceUrls, http::Client, ports};

use super::{Distributed, PATIENCE, PROVIDER_KEY, Server, Settings, Shop, run, setting};

const READY: &str = "/health/ready";

/// A running system over either mode.
pub struct System {
    /// What crashes: everything when embedded, else the worker.
    pub victim: Server,
    auth_url: String,
    gateway_url: String,
    /// The payment double's, when it has a process of its own.
    double: Option<Client>,
    settings: Settings,
    // Dropped, and so ended, before what they use.
    others: Vec<Server>,
    distributed: Option<Distributed>,
    _folder: TempDir,
}

impl System {
    /// One process with everything in it.
    pub async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let settings = vec![setting("storage.data_dir", data_dir.display())];
        let victim = Server::new("plumbline", &[], &settings, folder.path());
        Self::start_embedded(folder, settings, victim, None).await
    }

    /// The same but for the payment double, which is outside and survives.
    pub async fn embedded_with_a_provider() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let mut settings = vec![
            setting("storage.data_dir", data_dir.display()),
            setting("payment.secret_key", PROVIDER_KEY),
        ];
        // The double, which starts first, must know it.
        let port = ports::free_port().unwrap();
        let webhooks = format!("http://127.0.0.1:{port}/webhooks/stripe");
        let mut double = Server::payment_double(&webhooks, &settings, folder.path());
        double.start("/health/live").await;
        settings.push(setting("payment.url", double.url()));
        let victim = Server::on_port(port, "plumbline", &[], &settings, folder.path());
        Self::start_embedded(folder, settings, victim, Some(double)).await
    }

    async fn start_embedded(
        folder: TempDir,
        settings: Settings,
        mut victim: Server,
        double: Option<Server>,
    ) -> Self {
        victim.start(READY).await;
        Self {
            auth_url: victim.url(),
            gateway_url: victim.url(),
            victim,
            double: double.as_ref().map(switches),
            settings,
            others: double.into_iter().collect(),
            distributed: None,
            _folder: folder,
        }
    }

    /// A process for each role.
    pub async fn distributed(urls: &ServiceUrls) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let distributed = Distributed::new(urls).await;
        distributed.set_up().await;
        let mut settings = distributed.settings.clone();
        let gateway_port = ports::free_port().unwrap();
        let gateway_url = format!("http://127.0.0.1:{gateway_port}");
        let webhooks = format!("{gateway_url}/webhooks/stripe");
        let mut double = Server::payment_double(&webhooks, &settings, folder.path());
        double.start("/health/live").await;
        settings.push(setting("payment.url", double.url()));
        settings.push(setting("server.public_url", &gateway_url));
        let grpc_port = ports::free_port().unwrap();
        settings.push(setting("auth.grpc_port", grpc_port));
        let mut auth = Server::new("auth", &["auth"], &settings, folder.path());
        settings.push(setting("auth.url", auth.url()));
        settings.push(setting(
            "auth.grpc_url",
            format!("http://127.0.0.1:{grpc_port}"),
        ));
        let arguments = ["gateway"];
        let mut gateway = Server::on_port(
            gateway_port,
            "gateway",
            &arguments,
            &settings,
            folder.path(),
        );
        let mut worker = Server::new("worker", &["worker"], &settings, folder.path());
        tokio::join!(auth.start(READY), gateway.start(READY), worker.start(READY));
        Self {
            victim: worker,
            auth_url: auth.url(),
            gateway_url,
            double: Some(switches(&double)),
            settings,
            others: vec![gateway, auth, double],
            distributed: Some(distributed),
            _folder: folder,
        }
    }

    pub async fn shop(&self) -> Shop {
        Shop::open(&self.auth_url, &self.gateway_url).await
    }

    /// Starts what crashed.
    pub async fn recover(&mut self) {
        self.victim.start(READY).await;
    }

    /// Turns the payment double's switches.
    pub async fn misbehave(&self, behaviour: Value) {
        let double = self.double.as_ref().expect("no payment double outside");
        let answer = double.post("/double/behaviour", &behaviour).await;
        let _ = answer.expect_status(200);
    }

    /// How many payments the provider knows for an order.
    pub async fn payments(&self, order_id: &str) -> usize {
        let double = self.double.as_ref().expect("no payment double outside");
        let path = format!("/double/ledger?order_id={order_id}");
        let ledger: Value = double.get(&path).await.expect_status(200).json();
        ledger["intents"].as_array().unwrap().len()
    }

    /// The exit code and the report of `plumbline audit`.
    pub async fn audit(&self) -> (i32, String) {
        let ended = run(&["audit"], &self.settings).await;
        let code = ended.code.expect("it crashed");
        (code, ended.stdout + &ended.stderr)
    }

    /// Audits until the last events have left the outbox; anything else that is broken fails at
    /// once.
    pub async fn expect_green(&self) {
        let started = Instant::now();
        loop {
            let (code, report) = self.audit().await;
            if code == 0 {
                assert!(report.ends_with("audit: green\n"), "{report}");
                return;
            }
            let mut broken = report.lines().filter(|line| line.contains("BROKEN"));
            assert!(broken.all(|line| line.contains("outbox")), "{report}");
            assert!(started.elapsed() < PATIENCE, "{report}");
        }
    }

    /// Ends everything, and removes what is left on shared servers.
    pub async fn remove(self) {
        let Self {
            victim,
            others,
            distributed,
            ..
        } = self;
        drop((victim, others));
        if let Some(distributed) = distributed {
            distributed.remove().await;
        }
    }
}

/// A client for what the payment double has and the real provider has not.
fn switches(double: &Server) -> Client {
    Client::new(double.url()).with_bearer(PROVIDER_KEY)
}
