//! The services of a process: what a role consists of, on the connections of its [`Resources`].

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use auth::{AuthConfig, AuthDeps, AuthService, EncryptionKey, TokenSecretKey};
use chrono::TimeDelta;
use database::Database;
use gateway::{
    Gateway, GatewayConfig, GatewayDeps, Limits,
    graphql::{
        engine::EngineConfig,
        http::{HttpConfig, Statuses},
    },
};
use kernel::SharedClock;
use messaging::{Broker, BrokerConfig, Relay, RelayConfig, RelayWaker, outbox};
use migrations::AuthMigrator;
use order_worker::{MailDeps, Worker, WorkerConfig, WorkerDeps};
use orders::Orders;
use payment::{Stripe, StripeConfig};
use secrecy::SecretString;
use service_kit::{
    access_token::{ApiKeys, Verifier, VerifierConfig},
    browser::OwnOrigin,
    health::Readiness,
    jwks::{KeySource, RemoteKeys, RemoteKeysConfig},
    lifecycle::Shutdown,
    mail::{DevMailbox, Mailer},
    rate_limit::Subjects,
    revocation::RevocationList,
};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use url::Url;
use user_directory::{ClientCredentials, Directory, ServiceTokens};

use crate::{
    Role, StartError, migrate,
    resources::Resources,
    seed,
    settings::{self, Settings},
    trusted_documents,
};

/// The services of a process.
pub(crate) struct Services {
    pub(crate) auth: Option<AuthService>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) mailbox: Option<DevMailbox>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) public_url: Url,
    pub(crate) role: Role,
    worker: Option<Worker>,
    relay: Option<Relay>,
}

impl Services {
    pub(crate) async fn build(
        settings: &Settings,
        role: Role,
        resources: &Resources,
        shutdown: &Shutdown,
    ) -> Result<Self, StartError> {
        let public_url = settings.public_url().ok_or(StartError::PublicUrl)?;
        let auth = match &resources.auth_database {
            Some(database) => Some(build_auth(settings, &public_url, database, resources).await?),
            None => None,
        };
        let waker = RelayWaker::default();
        let orders = resources.orders_database.as_ref().map(|database| {
            Orders::new(
                database.clone(),
                resources.cache.clone(),
                resources.clock.clone(),
                waker.clone(),
            )
        });
        let mut services = Self {
            gateway: None,
            worker: None,
            relay: None,
            mailbox: match &resources.mailer {
                Mailer::Memory(mailbox) if role == Role::All => Some(mailbox.clone()),
                _ => None,
            },
            readiness: Arc::new(resources.readiness(shutdown)),
            auth,
            public_url,
            role,
        };
        if let Some(orders) = orders {
            services
                .add_ordering(settings, resources, orders, waker, shutdown)
                .await?;
        }
        if role == Role::All && settings.demo.enabled {
            services.seed_demo_users(settings).await?;
        }
        Ok(services)
    }

    async fn add_ordering(
        &mut self,
        settings: &Settings,
        resources: &Resources,
        orders: Orders,
        waker: RelayWaker,
        shutdown: &Shutdown,
    ) -> Result<(), StartError> {
        if self.role == Role::All && settings.demo.enabled {
            orders.seed_demo_shop().await?;
        }
        let database = orders.database().clone();
        if matches!(resources.broker, Broker::InProcess(_)) {
            for (consumer, types) in order_worker::receipted_event_types() {
                let requeued = outbox::requeue_unconsumed(&database, consumer, types)
                    .await
                    .map_err(orders::OrderError::from)?;
                tracing::debug!(consumer, requeued, "took up what was not finished before");
            }
        }
        self.relay = Some(Relay::new(
            database,
            resources.broker.clone(),
            resources.clock.clone(),
            RelayConfig::default(),
            waker,
        ));
        if self.role.has_gateway() {
            let verifier = self.verifier(settings, resources)?;
            let webhook_secrets = settings.payment.webhook_secrets.iter().cloned();
            let config = GatewayConfig {
                cursor_secret: settings.cursor_secret().into(),
                webhook_secrets: webhook_secrets.map(SecretString::from).collect(),
                introspection: settings.gateway.introspection,
                engine: engine_config(&settings.gateway.graphql)?,
                http: http_config(&settings.gateway.graphql),
                sockets: settings
                    .gateway
                    .websocket
                    .config(OwnOrigin::of(&self.public_url)),
            };
            let deps = GatewayDeps {
                orders: orders.clone(),
                broker: resources.broker.clone(),
                clock: resources.clock.clone(),
                directory: self.gateway_directory(settings, resources)?,
                limits: limits(settings, resources),
                verifier,
                shutdown: shutdown.clone(),
            };
            self.gateway = Some(Gateway::build(config, deps));
        }
        if self.role.has_worker() {
            self.worker = Some(self.build_worker(settings, resources, orders)?);
        }
        Ok(())
    }

    fn build_worker(
        &self,
        settings: &Settings,
        resources: &Resources,
        orders: Orders,
    ) -> Result<Worker, StartError> {
        let base_url = Url::parse(&settings.payment.url)
            .map_err(|error| StartError::Url("payment.url", error))?;
        let secret_key = SecretString::from(settings.payment.secret_key.clone());
        let settings::Worker {
            prefetch,
            sweep_seconds,
            reconcile_seconds,
            client_id,
            client_secret,
        } = &settings.worker;
        let config = WorkerConfig {
            prefetch: *prefetch,
            retries: settings.retries.policy(),
            sweep_every: Duration::from_secs(*sweep_seconds),
            reconcile_every: Duration::from_secs(*reconcile_seconds),
        };
        let mails = MailDeps {
            mailer: resources.mailer.clone(),
            directory: self.directory(settings, resources, (client_id, client_secret))?,
            public_url: self.public_url.clone(),
        };
        let deps = WorkerDeps {
            orders,
            broker: resources.broker.clone(),
            payments: Stripe::new(StripeConfig::new(base_url, secret_key))?,
            mails,
            clock: resources.clock.clone(),
        };
        Ok(Worker::build(config, deps))
    }

    /// Tokens are verified here, with auth's keys: those of this process, or fetched from its JWKS.
    fn verifier(&self, settings: &Settings, resources: &Resources) -> Result<Verifier, StartError> {
        if let Some(auth) = &self.auth {
            return Ok(auth.verifier().clone());
        }
        let auth_url = Url::parse(&settings.auth.url)
            .and_then(|url| url.join("/auth/.well-known/jwks.json"))
            .map_err(|error| StartError::Url("auth.url", error))?;
        let keys = RemoteKeys::new(RemoteKeysConfig {
            jwks_url: auth_url,
            clock: resources.clock.clone(),
        })
        .map_err(|error| StartError::HttpClient(Box::new(error)))?;
        let config = auth_config(settings, &self.public_url)?;
        let verifier = VerifierConfig {
            issuer: config.issuer,
            audience: config.audience,
            clock: resources.clock.clone(),
        };
        let directory = self.gateway_directory(settings, resources)?;
        let api_keys = ApiKeys::new(move |key| {
            let directory = directory.clone();
            async move { Ok(directory.resolve_api_key(&key).await?) }
        });
        Ok(Verifier::new(verifier, KeySource::remote(keys))
            .with_revocations(resources.revocations.clone())
            .with_api_keys(api_keys))
    }

    fn gateway_directory(
        &self,
        settings: &Settings,
        resources: &Resources,
    ) -> Result<Directory, StartError> {
        let settings::Gateway {
            client_id,
            client_secret,
            ..
        } = &settings.gateway;
        self.directory(settings, resources, (client_id, client_secret))
    }

    /// Who people are is asked of auth: of that in this process, or over gRPC.
    fn directory(
        &self,
        settings: &Settings,
        resources: &Resources,
        (client_id, client_secret): (&str, &str),
    ) -> Result<Directory, StartError> {
        if let Some(auth) = &self.auth {
            let tokens = auth.service_tokens(client_id, client_secret);
            return Ok(Directory::in_process(auth.directory(), tokens));
        }
        let token_endpoint = Url::parse(&settings.auth.url)
            .and_then(|url| url.join("/auth/oauth2/token"))
            .map_err(|error| StartError::Url("auth.url", error))?;
        let credentials = ClientCredentials {
            token_endpoint,
            client_id: client_id.to_owned(),
            client_secret: client_secret.into(),
        };
        let tokens = ServiceTokens::from_endpoint(resources.clock.clone(), credentials)
            .map_err(|error| StartError::HttpClient(Box::new(error)))?;
        let grpc_url = Url::parse(&settings.auth.grpc_url)
            .map_err(|error| StartError::Url("auth.grpc_url", error))?;
        Directory::connect(&grpc_url, tokens)
            .map_err(|error| StartError::HttpClient(Box::new(error)))
    }

    async fn seed_demo_users(&self, settings: &Settings) -> Result<(), StartError> {
        if let Some(auth) = &self.auth {
            auth::seed_demo_users(auth, &seed::demo_users(), &settings.demo.password).await?;
        }
        Ok(())
    }

    /// Serves what other services ask of auth.
    pub(crate) fn serve_grpc(&self, listener: TcpListener, shutdown: &Shutdown) -> io::Result<()> {
        match &self.auth {
            Some(auth) => auth.serve_grpc(listener, Arc::clone(&self.readiness), shutdown),
            None => Ok(()),
        }
    }

    /// Starts what runs beside the requests.
    pub(crate) async fn spawn_background(mut self, shutdown: &Shutdown) -> Result<(), StartError> {
        if let Some(auth) = &self.auth {
            auth.spawn_background(shutdown).await?;
        }
        if let Some(gateway) = &self.gateway {
            gateway.spawn_background(shutdown);
        }
        if let Some(relay) = self.relay.take() {
            let stop = shutdown.soft();
            shutdown.spawn("orders relay", async move { relay.run(stop).await });
        }
        if let Some(worker) = self.worker.take() {
            worker.spawn(shutdown)?;
        }
        Ok(())
    }
}

/// The gateway's limits, counted where auth's are, or in this process.
fn limits(settings: &Settings, resources: &Resources) -> Limits {
    // A secret that every gateway has, and that this alone uses in this way.
    let secret = Sha256::new_with_prefix("rate limits").chain_update(settings.cursor_secret());
    let secret = secret.finalize();
    let clock = Arc::clone(&resources.clock);
    let subjects = match resources.cache.redis() {
        Some(redis) => {
            let namespace = &settings.cache.namespace;
            Subjects::over(redis.clone(), namespace, &secret, clock)
        }
        None => Subjects::in_memory(&secret, clock),
    };
    Limits::new(settings.gateway.limits, &subjects)
}

fn engine_config(settings: &settings::Graphql) -> Result<EngineConfig, StartError> {
    Ok(EngineConfig {
        limits: settings.limits(),
        timeout: Duration::from_secs(settings.timeout_seconds),
        remembered_tokens: settings.remembered_tokens,
        trusted: trusted_documents::load(settings)?,
    })
}

fn http_config(settings: &settings::Graphql) -> HttpConfig {
    HttpConfig {
        body_bytes: settings.body_bytes,
        statuses: if settings.draft_statuses {
            Statuses::Draft2026
        } else {
            Statuses::Usual
        },
        ..HttpConfig::default()
    }
}

async fn build_auth(
    settings: &Settings,
    public_url: &Url,
    database: &Database,
    resources: &Resources,
) -> Result<AuthService, StartError> {
    let deps = AuthDeps {
        database: database.clone(),
        broker: resources.broker.clone(),
        clock: resources.clock.clone(),
        mailer: resources.mailer.clone(),
        revocations: resources.revocations.clone(),
        redis: resources.cache.redis().cloned(),
    };
    Ok(AuthService::build(auth_config(settings, public_url)?, deps).await?)
}

/// Auth for a command that works on its database: it publishes nothing and sends no mail, so it
/// needs neither broker nor mail server.
pub(crate) async fn offline_auth(
    settings: &Settings,
    clock: SharedClock,
) -> Result<AuthService, StartError> {
    let in_process = BrokerConfig::new("memory:", "offline");
    let public_url = settings.public_url().ok_or(StartError::PublicUrl)?;
    let database = migrate::connect("auth", &settings.auth.database_url, 1).await?;
    migrate::check::<AuthMigrator>("auth", &database).await?;
    let deps = AuthDeps {
        database,
        broker: Broker::connect(in_process, &auth::queues(), CancellationToken::new()).await?,
        revocations: RevocationList::in_memory(Arc::clone(&clock)),
        redis: None,
        clock,
        mailer: Mailer::Memory(DevMailbox::default()),
    };
    Ok(AuthService::build(auth_config(settings, &public_url)?, deps).await?)
}

pub(crate) fn auth_config(settings: &Settings, public_url: &Url) -> Result<AuthConfig, StartError> {
    let encryption_key = EncryptionKey::parse(&settings.auth.encryption_key)?;
    let token_secret = TokenSecretKey::parse(&settings.auth.token_secret)?;
    let mut config = AuthConfig::new(public_url.clone(), encryption_key, token_secret);
    config.access_token_lifetime =
        TimeDelta::seconds(i64::from(settings.auth.access_token_seconds));
    config.signing_keys.algorithm = settings.auth.signing_algorithm.parse()?;
    config.signing_keys.rotate_every = TimeDelta::days(settings.auth.signing_key_days.into());
    config.hashing = settings.hashing();
    config.retries = settings.retries.policy();
    config.limits = settings.auth.limits;
    config.redis_namespace.clone_from(&settings.cache.namespace);
    config.service_accounts = vec![settings.gateway_account()?, settings.worker_account()?];
    config.external_login = settings.external_login();
    config.former_encryption_keys = settings
        .auth
        .former_encryption_keys
        .iter()
        .map(|key| EncryptionKey::parse(key))
        .collect::<Result<_, _>>()?;
    Ok(config)
}
