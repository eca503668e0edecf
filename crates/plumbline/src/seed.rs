//! The demo shop: users of every role, and a catalogue.

use std::sync::Arc;

use auth::{AuthDeps, AuthService, DemoUser};
use cache::{Cache, CacheConfig};
use kernel::{Email, Role, SharedClock, SystemClock};
use messaging::{Broker, BrokerConfig, RelayWaker};
use orders::Orders;
use service_kit::mail::{DevMailbox, Mailer};
use tokio_util::sync::CancellationToken;

use crate::{StartError, migrate, services::auth_config, settings::Settings};

const USERS: [(&str, &str, Role); 3] = [
    ("customer@example.com", "Casey Customer", Role::Customer),
    ("support@example.com", "Sam Support", Role::Support),
    ("admin@example.com", "Alex Admin", Role::Admin),
];

/// The demo users, whose addresses are checked by a test.
pub(crate) fn demo_users() -> Vec<DemoUser> {
    USERS
        .into_iter()
        .filter_map(|(email, name, role)| {
            let email = Email::parse(email).ok()?;
            Some(DemoUser {
                email,
                name: name.to_owned(),
                role,
            })
        })
        .collect()
}

/// `plumbline seed`: the demo shop in databases that have been migrated. Nothing is published by
/// it, so it needs neither broker nor cache.
pub(crate) async fn run(settings: &Settings, password: &str) -> Result<String, StartError> {
    let clock: SharedClock = Arc::new(SystemClock);
    let in_process = BrokerConfig::new("memory:", "seed");
    let public_url = settings.public_url().ok_or(StartError::PublicUrl)?;
    let deps = AuthDeps {
        database: migrate::connect("auth", &settings.auth.database_url, 1).await?,
        broker: Broker::connect(in_process, &auth::queues(), CancellationToken::new()).await?,
        clock: Arc::clone(&clock),
        mailer: Mailer::Memory(DevMailbox::default()),
    };
    let service = AuthService::build(auth_config(settings, &public_url)?, deps).await?;
    auth::seed_demo_users(&service, &demo_users(), password).await?;

    let database = migrate::connect("orders", &settings.orders.database_url, 1).await?;
    let memory = CacheConfig {
        url: "memory:".to_owned(),
        namespace: "seed".to_owned(),
        max_entries: 1,
    };
    let orders = Orders::new(
        database,
        Cache::connect(memory).await?,
        clock,
        RelayWaker::default(),
    );
    let products = orders.seed_demo_shop().await?;
    Ok(format!(
        "seeded {} users and {products} products\n",
        USERS.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_demo_user_for_each_role() {
        let roles: Vec<_> = demo_users().into_iter().map(|user| user.role).collect();
        assert_eq!(roles, Role::ALL);
    }
}
