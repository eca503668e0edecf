//! The demo shop: users of every role, and a catalogue.

use std::sync::Arc;

use auth::DemoUser;
use cache::{Cache, CacheConfig};
use kernel::{Email, Role, SharedClock, SystemClock};
use messaging::RelayWaker;
use orders::Orders;

use crate::{StartError, migrate, services::offline_auth, settings::Settings};

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
    let service = offline_auth(settings, Arc::clone(&clock)).await?;
    auth::seed_demo_users(&service, &demo_users(), password).await?;

    let database = migrate::connect("orders", &settings.orders.database_url, 1).await?;
    let memory = CacheConfig {
        url: "memory:".to_owned(),
        namespace: "seed".to_owned(),
        max_entries: 1,
        max_loads: 1,
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
        assert_eq!(roles, Role::OF_PEOPLE);
    }
}
