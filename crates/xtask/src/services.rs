//! The servers of a distributed run: those of the environment, else private ones.

use testkit::environment::{AMQP_URL, POSTGRES_URL, REDIS_URL};
use testkit::services::{Durability, Postgres, Program, RabbitMq, Redis, Services};

use crate::command::Failure;
use crate::install;

/// The variable that gives each server.
const VARIABLES: [(&str, Program); 3] = [
    (POSTGRES_URL, Program::Postgres),
    (REDIS_URL, Program::Redis),
    (AMQP_URL, Program::RabbitMq),
];

/// The servers that no variable gives, so that private ones are needed.
#[must_use]
pub fn not_given() -> Vec<Program> {
    let missing = VARIABLES.iter().filter(|(name, _)| given(name).is_none());
    missing.map(|(_, program)| *program).collect()
}

fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|url| !url.is_empty())
}

/// Where the tests find their servers, and the private ones, which end with this value.
#[derive(Debug)]
pub struct TestServices {
    urls: Vec<(&'static str, String)>,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    rabbitmq: Option<RabbitMq>,
}

impl TestServices {
    /// Takes each server from its variable, or installs and starts a private one.
    ///
    /// # Errors
    /// When one is neither given nor can be installed or started.
    pub async fn obtain() -> Result<Self, Failure> {
        install::ensure(&not_given()).await?;
        let given = VARIABLES.map(|(name, _)| given(name));
        let [postgres_url, redis_url, amqp_url] = given;
        let (postgres, redis, rabbitmq) = tokio::try_join!(
            unless(postgres_url.is_some(), Postgres::start(Durability::Relaxed)),
            unless(redis_url.is_some(), Redis::start()),
            unless(amqp_url.is_some(), RabbitMq::start()),
        )?;
        let urls = [
            (
                POSTGRES_URL,
                postgres_url.or(postgres.as_ref().map(Postgres::url)),
            ),
            (REDIS_URL, redis_url.or(redis.as_ref().map(Redis::url))),
            (AMQP_URL, amqp_url.or(rabbitmq.as_ref().map(RabbitMq::url))),
        ];
        let urls = urls
            .into_iter()
            .filter_map(|(name, url)| Some((name, url?)))
            .collect();
        let services = Self {
            urls,
            postgres,
            redis,
            rabbitmq,
        };
        services.announce();
        Ok(services)
    }

    /// The variables that hand the servers to tests.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.urls.iter().map(|(name, url)| (*name, url.as_str()))
    }

    /// Stops the private servers in good order.
    ///
    /// # Errors
    /// When one can't be waited for.
    pub async fn stop(mut self) -> Result<(), Failure> {
        if let Some(redis) = &mut self.redis {
            redis.stop().await?;
        }
        if let Some(rabbitmq) = &mut self.rabbitmq {
            rabbitmq.stop().await?;
        }
        if let Some(postgres) = &mut self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }

    fn announce(&self) {
        for (name, url) in &self.urls {
            eprintln!("{name}={url}");
        }
    }
}

async fn unless<T, E>(
    given: bool,
    start: impl Future<Output = Result<T, E>>,
) -> Result<Option<T>, E> {
    if given {
        Ok(None)
    } else {
        start.await.map(Some)
    }
}

/// All three private servers, installed where necessary, which wait for the disk as in
/// production.
///
/// # Errors
/// When one can't be installed or started.
pub async fn start_durable() -> Result<Services, Failure> {
    install::ensure(&Program::SERVERS).await?;
    Ok(Services::start(Durability::Full).await?)
}

/// `cargo xtask services`: keeps servers running, and prints how to use them.
///
/// # Errors
/// When they can't be started.
pub async fn run() -> Result<(), Failure> {
    let services = TestServices::obtain().await?;
    println!("# paste into another terminal; Ctrl-C here ends the servers");
    println!("export {}=distributed", testkit::environment::MODE);
    for (name, url) in services.environment() {
        println!("export {name}='{url}'");
    }
    // Until the signal drops this future, and with it the servers.
    std::future::pending().await
}
