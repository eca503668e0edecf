mod answer;
mod authenticator;
mod programs;
mod store;

use std::{future::Future, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn};
use auth::{
    AuthConfig, AuthDeps, AuthError, AuthService, DemoUser, EncryptionKey, ExternalLoginConfig,
    HashPoolConfig, HashingParams, KeyAdministration, Limits, SigningKeyConfig, TokenSecretKey,
};
use cache::RedisLink;
use database::Database;
use kernel::{Email, ManualClock, Role, SharedClock};
use messaging::{Broker, BrokerConfig};
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::{
    lifecycle::Shutdown,
    mail::{DevMailbox, Mail, Mailer},
    request_telemetry,
    revocation::RevocationList,
    security_headers,
};
use tokio_util::sync::CancellationToken;

pub use answer::Answer;
pub use authenticator::strings;
pub use programs::{GATEWAY, GATEWAY_SECRET};
pub use store::Store;

pub const EMAIL: &str = "ada@example.com";
pub const NAME: &str = "Ada Lovelace";
pub const PASSWORD: &str = "correct horse battery staple";

/// A running service, and everything that a test wants to look at or turn.
pub struct TestApp {
    pub origin: String,
    pub clock: ManualClock,
    pub mailbox: DevMailbox,
    pub service: AuthService,
    pub broker: Broker,
    pub store: Store,
    client: reqwest::Client,
    server: ServerHandle,
    shutdown: Shutdown,
}

/// What a test may want otherwise.
pub struct Options {
    pub hashing: HashingParams,
    pub hash_pool: HashPoolConfig,
    pub encryption_key: u8,
    pub former_encryption_keys: Vec<u8>,
    pub signing_keys: SigningKeyConfig,
    /// Shared by replicas; else each has one of its own.
    pub clock: ManualClock,
    /// Whether mail is relayed and sent.
    pub background: bool,
    pub limits: Limits,
    /// That of another replica; else where this one listens.
    pub public_url: Option<String>,
    /// Where replicas share revocations and limits; else each has its own.
    pub redis: Option<String>,
    /// Instead of the dev mailbox.
    pub mailer: Option<Mailer>,
    pub external_login: ExternalLoginConfig,
    /// Where to listen, if somebody must know it beforehand.
    pub listener: Option<TcpListener>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hashing: HashingParams::default(),
            hash_pool: HashPoolConfig::default(),
            encryption_key: 1,
            former_encryption_keys: Vec::new(),
            signing_keys: SigningKeyConfig {
                poll_every: Duration::from_millis(20),
                ..SigningKeyConfig::default()
            },
            clock: ManualClock::starting_now(),
            background: true,
            limits: Limits::NONE,
            public_url: None,
            redis: None,
            mailer: None,
            external_login: ExternalLoginConfig::default(),
            listener: None,
        }
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        Self::start_on(Store::create().await, options).await
    }

    pub async fn start_on(store: Store, mut options: Options) -> Self {
        let clock = options.clock.clone();
        let mailbox = DevMailbox::default();
        let broker = broker().await;
        let listener = options.listener.take().unwrap_or_else(listen);
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let config = config(options.public_url.as_ref().unwrap_or(&origin), &options);
        let redis = match &options.redis {
            Some(url) => Some(RedisLink::connect(url).await.unwrap()),
            None => None,
        };
        let now: SharedClock = Arc::new(clock.clone());
        let revocations = match &redis {
            Some(redis) => RevocationList::over(redis.clone(), "test", now),
            None => RevocationList::in_memory(now),
        };
        let shutdown = Shutdown::new();
        let (running, stop) = (revocations.clone(), shutdown.soft());
        shutdown.spawn("revocations", async move { running.run(stop).await });
        let deps = AuthDeps {
            database: store.database.clone(),
            broker: broker.clone(),
            clock: Arc::new(clock.clone()),
            mailer: options
                .mailer
                .unwrap_or_else(|| Mailer::Memory(mailbox.clone())),
            revocations,
            redis,
        };
        let service = AuthService::build(config, deps).await.unwrap();
        if options.background {
            service.spawn_background(&shutdown).await.unwrap();
        }
        Self {
            server: serve(&service, listener),
            origin,
            clock,
            mailbox,
            service,
            broker,
            store,
            client: reqwest::Client::builder()
                .user_agent("plumbline-tests")
                .build()
                .unwrap(),
            shutdown,
        }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    /// Without a body, with an `Authorization`.
    pub async fn send_as(&self, method: Method, path: &str, authorization: &str) -> Answer {
        let request = self.client.request(method, self.url(path));
        let request = request.header("authorization", authorization);
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn send_json_as(
        &self,
        method: Method,
        path: &str,
        authorization: &str,
        body: Value,
    ) -> Answer {
        let request = self.client.request(method, self.url(path));
        let request = request.header("authorization", authorization).json(&body);
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let request = self.client.post(self.url(path)).json(&body);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post_raw(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<String>,
    ) -> Answer {
        let request = self
            .client
            .post(self.url(path))
            .header("content-type", content_type)
            .body(body.into());
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn me(&self, authorization: &str) -> Answer {
        let request = self
            .client
            .get(self.url("/auth/v1/me"))
            .header("authorization", authorization);
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn register(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password, "name": NAME});
        self.post("/auth/v1/users", body).await
    }

    pub async fn confirm(&self, token: &str) -> Answer {
        let body = json!({"token": token});
        self.post("/auth/v1/email-verifications/confirm", body)
            .await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.post("/auth/v1/sessions", body).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        let body = json!({"refresh_token": refresh_token});
        self.post("/auth/v1/tokens/refresh", body).await
    }

    /// A verified user without the way through the mail.
    pub async fn seed(&self, email: &str, role: Role) {
        let user = DemoUser {
            email: Email::parse(email).unwrap(),
            name: NAME.to_owned(),
            role,
        };
        auth::seed_demo_users(&self.service, &[user], PASSWORD)
            .await
            .unwrap();
    }

    /// A seeded user's tokens.
    pub async fn seed_and_log_in(&self) -> Value {
        self.seed(EMAIL, Role::Customer).await;
        self.log_in(EMAIL, PASSWORD).await.expect(201)
    }

    /// `plumbline keys` beside the running service.
    pub fn keys(&self) -> KeyAdministration {
        let options = Options {
            clock: self.clock.clone(),
            ..Options::default()
        };
        keys_of(&self.store, &options)
    }

    /// The mails to an address once there are `count` of them, newest first.
    pub async fn mails(&self, to: &str, count: usize) -> Vec<Mail> {
        let arrived = async || {
            let mails = self.mailbox.mails(Some(to));
            (mails.len() >= count).then_some(mails)
        };
        let mails = eventually("the mail arrives", arrived).await;
        assert_eq!(mails.len(), count, "{mails:?}");
        mails
    }

    /// Ends the service, and fails if it set a message aside.
    pub async fn finish(self) {
        let dead = self.broker.dead_letters("auth.mail", 10).await.unwrap();
        assert!(dead.is_empty(), "{dead:?}");
        self.finish_leaving_dead_letters().await;
    }

    pub async fn finish_leaving_dead_letters(self) {
        self.stop().await.remove().await;
    }

    /// Ends the service and keeps its database.
    pub async fn stop(self) -> Store {
        self.server.stop(false).await;
        assert!(self.shutdown.finish(Duration::from_secs(10)).await);
        self.broker.close().await;
        self.store
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Builds a service on a database that has one already, or fails to.
pub async fn build_on(database: &Database, options: Options) -> Result<AuthService, AuthError> {
    let deps = AuthDeps {
        database: database.clone(),
        broker: broker().await,
        clock: Arc::new(options.clock.clone()),
        mailer: Mailer::Memory(DevMailbox::default()),
        revocations: RevocationList::in_memory(Arc::new(options.clock.clone())),
        redis: None,
    };
    AuthService::build(config("http://localhost:8080", &options), deps).await
}

/// `plumbline keys` on this database.
pub fn keys_of(store: &Store, options: &Options) -> KeyAdministration {
    let clock = Arc::new(options.clock.clone());
    KeyAdministration::new(
        &config("http://localhost:8080", options),
        store.database.clone(),
        clock,
    )
}

/// Asks again until there is an answer, for ten seconds.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), asking).await;
    answer.unwrap_or_else(|_| panic!("{what}: not within ten seconds"))
}

fn config(origin: &str, options: &Options) -> AuthConfig {
    let encryption_key =
        |byte: u8| EncryptionKey::new(&format!("test-{byte}"), vec![byte; 32]).unwrap();
    let token_secret = TokenSecretKey::new(vec![2; 32]).unwrap();
    let mut config = AuthConfig::new(
        origin.parse().unwrap(),
        encryption_key(options.encryption_key),
        token_secret,
    );
    let former = options.former_encryption_keys.iter();
    config.former_encryption_keys = former.map(|byte| encryption_key(*byte)).collect();
    config.signing_keys = options.signing_keys;
    config.service_accounts = vec![programs::gateway()];
    config.hashing = options.hashing;
    config.hash_pool = options.hash_pool;
    config.external_login = options.external_login.clone();
    config.limits = options.limits;
    config
}

/// On a port that nobody else has.
pub fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

async fn broker() -> Broker {
    let config = BrokerConfig::new("memory:", "test");
    Broker::connect(config, &auth::queues(), CancellationToken::new())
        .await
        .unwrap()
}

fn serve(service: &AuthService, listener: TcpListener) -> ServerHandle {
    let service = service.clone();
    let app = move || {
        App::new()
            .wrap(from_fn(security_headers::add))
            .wrap(from_fn(request_telemetry::record))
            .configure(|config| service.configure(config))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    handle
}
