//! What commands need of the system that runs beside them.

use std::sync::Arc;

use cache::{Cache, CacheConfig};
use kernel::SystemClock;
use messaging::RelayWaker;
use migrations::OrdersMigrator;
use orders::Orders;
use payment::{Stripe, StripeConfig};
use secrecy::SecretString;
use url::Url;

use crate::{StartError, migrate, settings::Settings};

/// The orders, over their database and nothing else. What is left in the outbox is published by
/// the relays of the processes that run.
pub(crate) async fn orders(settings: &Settings) -> Result<Orders, StartError> {
    let url = &settings.orders.database_url;
    let database = migrate::connect("orders", url, settings.orders.max_connections).await?;
    migrate::check::<OrdersMigrator>("orders", &database).await?;
    let memory = CacheConfig {
        url: "memory:".to_owned(),
        namespace: String::new(),
        max_entries: 1,
        max_loads: 1,
    };
    let cache = Cache::connect(memory).await?;
    let clock = Arc::new(SystemClock);
    Ok(Orders::new(database, cache, clock, RelayWaker::default()))
}

/// The payment provider. `None`: it is the double inside another process, which can't be asked.
pub(crate) fn provider(settings: &Settings) -> Result<Option<Stripe>, StartError> {
    if settings.payment.url == "double:" {
        return Ok(None);
    }
    let base_url =
        Url::parse(&settings.payment.url).map_err(|error| StartError::Url("payment.url", error))?;
    let secret_key = SecretString::from(settings.payment.secret_key.clone());
    Ok(Some(Stripe::new(StripeConfig::new(base_url, secret_key))?))
}
