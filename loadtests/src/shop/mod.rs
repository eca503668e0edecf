//! The system under test as the generator sees it: its addresses, its products, its shoppers.

pub mod audience;
pub mod catalogue;
pub mod client;
pub mod shopper;
pub mod watcher;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rand::RngExt;
use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;

use audience::{Audience, AudienceSize};
use catalogue::Catalogue;
use client::{ShopClient, Targets};
use shopper::{Credentials, Shopper};

use crate::failure::Failure;

/// The whole time that one operation may take, from its start.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// Sessions that share the load. Each costs an Argon2id hash at set-up.
const SHOPPERS: usize = 4;

/// Everything that operations need.
#[derive(Debug)]
pub struct Shop {
    pub client: ShopClient,
    pub catalogue: Catalogue,
    shoppers: Vec<Shopper>,
    placed: Mutex<Vec<PlacedOrder>>,
    audience: OnceLock<Audience>,
}

/// An order that the shop accepted. Only the shopper who placed it may read it.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    pub id: String,
    pub shopper: usize,
}

/// What became of an order, as far as a load test cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    Confirmed,
    /// Ended, but not well: by its status.
    Failed(String),
    /// Not at its end yet.
    Open(String),
}

impl OrderStatus {
    #[must_use]
    pub fn is_end(&self) -> bool {
        !matches!(self, Self::Open(_))
    }
}

impl From<&str> for OrderStatus {
    fn from(status: &str) -> Self {
        match status {
            "CONFIRMED" => Self::Confirmed,
            "REJECTED" | "PAYMENT_FAILED" | "CANCELLED" | "REFUNDED" => {
                Self::Failed(status.to_owned())
            }
            open => Self::Open(open.to_owned()),
        }
    }
}

/// Why the run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    #[error("cannot set up an HTTP client")]
    Client(#[from] reqwest::Error),
    #[error("cannot read the catalogue at {url}")]
    Catalogue { url: String, source: Failure },
    #[error("the shop at {url} has no products: seed it first")]
    NoProducts { url: String },
    #[error("{user} cannot log in at {url}")]
    LogIn {
        user: String,
        url: String,
        source: Failure,
    },
    #[error(
        "{user} is unknown at {url}, and registering shoppers failed; \
         give an existing user with --email and --password, or serve /dev/mailbox"
    )]
    Register {
        user: String,
        url: String,
        source: Failure,
    },
    #[error("cannot subscribe at {url}")]
    Subscribe { url: String, source: Failure },
}

impl Shop {
    /// Reads the catalogue and logs shoppers in: `user` when the shop knows them, else new ones.
    ///
    /// # Errors
    /// When the system cannot be reached, or does not let anybody in.
    pub async fn set_up(targets: Targets, user: Credentials) -> Result<Self, SetUpError> {
        let client = ShopClient::new(targets)?;
        let gateway = client.targets().gateway.to_string();
        let catalogue = Catalogue::read(&client)
            .await
            .map_err(|source| SetUpError::Catalogue {
                url: gateway.clone(),
                source,
            })?;
        if catalogue.is_empty() {
            return Err(SetUpError::NoProducts { url: gateway });
        }
        let shoppers = log_shoppers_in(&client, user).await?;
        Ok(Self {
            client,
            catalogue,
            shoppers,
            placed: Mutex::new(Vec::new()),
            audience: OnceLock::new(),
        })
    }

    /// Opens every shopper's subscription connection.
    ///
    /// # Errors
    /// When the gateway refuses one.
    pub async fn connect_watchers(&self) -> Result<(), SetUpError> {
        for shopper in &self.shoppers {
            shopper
                .watcher
                .connect(&shopper.access_token())
                .await
                .map_err(|source| SetUpError::Subscribe {
                    url: self.client.targets().gateway.to_string(),
                    source,
                })?;
        }
        Ok(())
    }

    /// Connects subscribers: the listening hear of the orders of [`Self::LISTENED_TO`], the idle of
    /// those of `idle_user`, who places none.
    ///
    /// # Errors
    /// When `idle_user` cannot log in, or the gateway refuses a subscriber.
    pub async fn assemble(
        &self,
        size: AudienceSize,
        idle_user: Credentials,
    ) -> Result<(), SetUpError> {
        let idle = log_in_or_register(&self.client, idle_user).await?;
        let listening = self.shopper(Self::LISTENED_TO).access_token();
        let gateway = &self.client.targets().gateway;
        let audience = Audience::assemble(gateway, size, &idle.access_token(), &listening).await;
        let audience = audience.map_err(|source| SetUpError::Subscribe {
            url: gateway.to_string(),
            source,
        })?;
        // A run has one audience.
        let _ = self.audience.set(audience);
        Ok(())
    }

    /// The number of the shopper whose orders an audience hears of.
    pub const LISTENED_TO: usize = 0;

    #[must_use]
    pub fn audience(&self) -> Option<&Audience> {
        self.audience.get()
    }

    /// A random shopper with their number.
    pub fn any_shopper(&self, random: &mut impl rand::Rng) -> (usize, &Shopper) {
        let number = random.random_range(0..self.shoppers.len());
        (number, &self.shoppers[number])
    }

    #[must_use]
    pub fn shopper(&self, number: usize) -> &Shopper {
        &self.shoppers[number]
    }

    pub fn remember_order(&self, order: PlacedOrder) {
        self.placed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(order);
    }

    /// Every order that the shop has accepted so far. Bounded by the schedule's slots.
    #[must_use]
    pub fn placed_orders(&self) -> Vec<PlacedOrder> {
        self.placed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Renews access tokens in time, outside the measured load, for mixes that do not refresh.
    pub async fn keep_sessions_fresh(&self, stopped: CancellationToken) {
        let shortest = self
            .shoppers
            .iter()
            .map(Shopper::token_life)
            .min()
            .unwrap_or_default();
        let period = (shortest / 3).max(Duration::from_secs(10));
        while stopped
            .run_until_cancelled(tokio::time::sleep(period))
            .await
            .is_some()
        {
            for shopper in &self.shoppers {
                // A failure shows as soon as the shopper's requests are refused.
                let _ = shopper.refresh(&self.client).await;
            }
        }
    }
}

async fn log_in_or_register(client: &ShopClient, user: Credentials) -> Result<Shopper, SetUpError> {
    let url = client.targets().auth.to_string();
    let email = user.email.clone();
    let logged_in = match Shopper::log_in(client, user).await {
        Err(Failure::Status {
            status: StatusCode::UNAUTHORIZED,
            ..
        }) => {
            let registered = shopper::register(client).await;
            let credentials = registered.map_err(|source| SetUpError::Register {
                user: email.clone(),
                url: url.clone(),
                source,
            })?;
            Shopper::log_in(client, credentials).await
        }
        outcome => outcome,
    };
    logged_in.map_err(|source| SetUpError::LogIn {
        user: email,
        url,
        source,
    })
}

async fn log_shoppers_in(
    client: &ShopClient,
    user: Credentials,
) -> Result<Vec<Shopper>, SetUpError> {
    let url = client.targets().auth.to_string();
    let log_in_error = |user: &str, source| {
        let (user, url) = (user.to_owned(), client.targets().auth.to_string());
        SetUpError::LogIn { user, url, source }
    };
    let mut shoppers = Vec::with_capacity(SHOPPERS);
    match Shopper::log_in(client, user.clone()).await {
        Ok(first) => shoppers.push(first),
        Err(Failure::Status {
            status: StatusCode::UNAUTHORIZED,
            ..
        }) => {}
        Err(source) => return Err(log_in_error(&user.email, source)),
    }
    let known = !shoppers.is_empty();
    while shoppers.len() < SHOPPERS {
        let credentials = if known {
            user.clone()
        } else {
            shopper::register(client)
                .await
                .map_err(|source| SetUpError::Register {
                    user: user.email.clone(),
                    url: url.clone(),
                    source,
                })?
        };
        let email = credentials.email.clone();
        let shopper = Shopper::log_in(client, credentials).await;
        shoppers.push(shopper.map_err(|source| log_in_error(&email, source))?);
    }
    Ok(shoppers)
}
