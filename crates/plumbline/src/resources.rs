//! The connections of a process.

use std::sync::Arc;

use cache::{Cache, CacheConfig};
use database::Database;
use kernel::SharedClock;
use messaging::{Broker, BrokerConfig, QueueSpec};
use migrations::{AuthMigrator, MigratorTrait, OrdersMigrator};
use secrecy::SecretString;
use service_kit::{
    health::Readiness,
    lifecycle::Shutdown,
    mail::{DevMailbox, Mailer, SmtpConfig, SmtpMailer},
    revocation::RevocationList,
};

use crate::{Role, StartError, migrate, settings::Settings};

/// The connections of a process. A role has those that it needs.
pub(crate) struct Resources {
    pub(crate) auth_database: Option<Database>,
    pub(crate) orders_database: Option<Database>,
    pub(crate) broker: Broker,
    pub(crate) cache: Cache,
    pub(crate) mailer: Mailer,
    pub(crate) revocations: RevocationList,
    pub(crate) clock: SharedClock,
}

impl Resources {
    pub(crate) async fn connect(
        settings: &Settings,
        role: Role,
        clock: SharedClock,
        shutdown: &Shutdown,
    ) -> Result<Self, StartError> {
        let auth_database = if role.has_auth() {
            Some(
                open::<AuthMigrator>(
                    "auth",
                    &settings.auth.database_url,
                    settings.auth.max_connections,
                    role,
                )
                .await?,
            )
        } else {
            None
        };
        let orders_database = if role.has_gateway() || role.has_worker() {
            Some(
                open::<OrdersMigrator>(
                    "orders",
                    &settings.orders.database_url,
                    settings.orders.max_connections,
                    role,
                )
                .await?,
            )
        } else {
            None
        };
        let config = BrokerConfig {
            news: vec![order_worker::EVENTS.to_owned()],
            ..BrokerConfig::new(&settings.broker.url, &settings.broker.namespace)
        };
        let broker = Broker::connect(config, &queues(), shutdown.hard()).await?;
        let cache = Cache::connect(CacheConfig {
            url: settings.cache.url.clone(),
            namespace: settings.cache.namespace.clone(),
            max_entries: settings.cache.max_entries,
            max_loads: settings.cache.max_loads.into(),
        })
        .await?;
        let revocations = match cache.redis() {
            Some(redis) => {
                let namespace = &settings.cache.namespace;
                RevocationList::over(redis.clone(), namespace, Arc::clone(&clock))
            }
            None => RevocationList::in_memory(Arc::clone(&clock)),
        };
        let (running, stop) = (revocations.clone(), shutdown.soft());
        shutdown.spawn("revocations", async move { running.run(stop).await });
        let mailer = match settings.mail.url.as_str() {
            "memory:" => Mailer::Memory(DevMailbox::default()),
            url => Mailer::Smtp(SmtpMailer::new(&SmtpConfig {
                url: SecretString::from(url),
                from: settings.mail.from.clone(),
            })?),
        };
        Ok(Self {
            auth_database,
            orders_database,
            broker,
            cache,
            mailer,
            revocations,
            clock,
        })
    }

    pub(crate) async fn close(self) {
        self.broker.close().await;
        for database in [self.auth_database, self.orders_database]
            .into_iter()
            .flatten()
        {
            if let Err(error) = database.close().await {
                tracing::warn!(%error, "a database was not closed in good order");
            }
        }
    }

    pub(crate) fn readiness(&self, shutdown: &Shutdown) -> Readiness {
        let mut readiness = Readiness::new(shutdown.soft());
        let databases = [
            ("auth_database", &self.auth_database),
            ("orders_database", &self.orders_database),
        ];
        for (name, database) in databases {
            if let Some(database) = database.clone() {
                readiness = readiness.check(name, move || {
                    let database = database.clone();
                    async move {
                        database
                            .ping()
                            .await
                            .map_err(|_| "it does not answer".to_owned())
                    }
                });
            }
        }
        let broker = self.broker.clone();
        let cache = self.cache.clone();
        readiness
            .check("broker", move || {
                std::future::ready(available(broker.is_ready()))
            })
            // Every role works on without it: see [cache] in config.default.toml.
            .optional("cache", move || {
                std::future::ready(available(cache.is_ready()))
            })
    }
}

fn available(is_ready: bool) -> Result<(), String> {
    if is_ready {
        Ok(())
    } else {
        Err("it is away".to_owned())
    }
}

/// Connects a context's database. The embedded mode migrates it; roles, of which many start at
/// once, only check that someone has.
async fn open<M: MigratorTrait>(
    context: &'static str,
    url: &str,
    max_connections: u32,
    role: Role,
) -> Result<Database, StartError> {
    let database = migrate::connect(context, url, max_connections).await?;
    if role == Role::All {
        migrate::up::<M>(context, &database).await?;
    } else {
        migrate::check::<M>(context, &database).await?;
    }
    Ok(database)
}

/// Every queue of the system: each process declares them all, so that no event is unroutable
/// whichever process comes first.
pub(crate) fn queues() -> Vec<QueueSpec> {
    let mut queues = auth::queues();
    queues.extend([order_worker::QUEUE, order_worker::MAIL_QUEUE]);
    queues
}
