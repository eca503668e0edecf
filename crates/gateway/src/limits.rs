//! How much of the gateway a caller may use: operations by their cost, orders by their number. The
//! same over GraphQL, REST and WebSocket.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use kernel::{Actor, Credential};
use serde::Deserialize;
use service_kit::{
    access_token::VerifiedToken,
    client_address::ClientAddress,
    rate_limit::{self, Allowance, Budget, Quota, Subjects, TooMany},
};

const MINUTE: Duration = Duration::from_secs(60);

/// What a request costs that is refused before its cost is known: it was read and looked at.
pub(crate) const REFUSED: u32 = 20;

/// What is allowed in a minute, at once or spread over it.
///
/// A user is an account, or one API key of it; a client, of whom no more is known, an IPv4 address
/// or an IPv6 network of 64 bits. Cost is counted as `extensions.cost` of GraphQL reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct LimitsConfig {
    /// Cost of all operations of one user.
    pub cost_per_user: NonZeroU32,
    /// Cost of all operations of one client who did not log in.
    pub cost_per_client: NonZeroU32,
    /// Orders placed by one user.
    pub orders_per_user: NonZeroU32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        const fn limit(number: u32) -> NonZeroU32 {
            NonZeroU32::MIN.saturating_add(number - 1)
        }
        Self {
            cost_per_user: limit(300_000),
            cost_per_client: limit(300_000),
            orders_per_user: limit(120),
        }
    }
}

/// Counts what callers use. Clones share the counts.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    users: Budget,
    clients: Budget,
    orders: Budget,
}

/// Who pays for a request.
#[derive(Clone, Copy, Debug)]
pub enum Payer {
    /// Somebody who is logged in, or their API key.
    User(rate_limit::Payer),
    /// An address.
    Client(rate_limit::Payer),
}

impl Limits {
    /// `subjects` says where they are counted.
    #[must_use]
    pub fn new(config: LimitsConfig, subjects: &Subjects) -> Self {
        let budget = |name, limit| {
            let per = MINUTE;
            Budget::new(Quota { name, limit, per }, subjects.clone())
        };
        Self(Arc::new(Inner {
            users: budget("cost-per-user", config.cost_per_user),
            clients: budget("cost-per-client", config.cost_per_client),
            orders: budget("orders-per-user", config.orders_per_user),
        }))
    }

    /// Who is logged in pays for themselves, wherever they are.
    #[must_use]
    pub fn user(&self, caller: &VerifiedToken) -> Payer {
        Payer::User(self.0.users.payer(&subject(&caller.actor)))
    }

    /// For who is not, their address pays.
    #[must_use]
    pub fn client(&self, address: ClientAddress) -> Payer {
        Payer::Client(match address.customer() {
            IpAddr::V4(address) => self.0.clients.payer(&address.octets()),
            IpAddr::V6(address) => self.0.clients.payer(&address.octets()),
        })
    }

    /// Refuses who was told to wait, before any work is done. Costs nothing.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn check(&self, payer: Payer) -> Result<(), TooMany> {
        match payer {
            Payer::User(payer) => self.0.users.check(payer),
            Payer::Client(payer) => self.0.clients.check(payer),
        }
    }

    /// Pays for an operation.
    ///
    /// # Errors
    /// [`TooMany`]: it must not be executed.
    pub async fn spend(&self, payer: Payer, cost: u32) -> Result<Allowance, TooMany> {
        match payer {
            Payer::User(payer) => self.0.users.spend(payer, cost).await,
            Payer::Client(payer) => self.0.clients.spend(payer, cost).await,
        }
    }

    /// Counts an order that is about to be placed.
    ///
    /// # Errors
    /// [`TooMany`]: it must not be placed.
    pub async fn order(&self, caller: &VerifiedToken) -> Result<Allowance, TooMany> {
        let payer = self.0.orders.payer(&subject(&caller.actor));
        self.0.orders.spend(payer, 1).await
    }
}

/// Who is counted: each API key for itself, so that a program run wild leaves its owner alone.
fn subject(actor: &Actor) -> [u8; 16] {
    let id = match actor.credential {
        Credential::ApiKey(key) => key.as_uuid(),
        Credential::Session(_) | Credential::ServiceAccount => actor.user_id.as_uuid(),
    };
    id.into_bytes()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn sessions_of_a_user_are_counted_together_and_each_api_key_for_itself() {
        let user = Uuid::from_u128(1).into();
        let session = |id: u128| Actor::of_session(user, Uuid::from_u128(id).into(), Vec::new());
        let with_key = |id: u128| Actor {
            credential: Credential::ApiKey(Uuid::from_u128(id).into()),
            ..session(2)
        };
        assert_eq!(subject(&session(2)), subject(&session(3)));
        assert_ne!(subject(&session(2)), subject(&with_key(4)));
        assert_ne!(subject(&with_key(4)), subject(&with_key(5)));
    }
}
