//! One newtype an entity, so that an order's id can't be passed where a product's is meant.
//! All are UUIDv7 (RFC 9562 §5.7): they sort by creation time, which keeps B-tree inserts local.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier whose leading 48 bits are `now` in Unix milliseconds.
            #[must_use]
            pub fn generate(now: DateTime<Utc>) -> Self {
                Self(uuid_v7(now))
            }

            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

id!(
    /// A person with an account in the auth context.
    UserId,
    /// A key that a person gives to a program.
    ApiKeyId,
    /// A login: one chain of refresh tokens.
    SessionId,
    OrderId,
    ProductId,
    /// One attempt to charge an order. Its text is the payment provider's idempotency key.
    PaymentAttemptId,
    /// A domain event, and the message that carries it.
    EventId,
);

fn uuid_v7(now: DateTime<Utc>) -> Uuid {
    // Times before 1970 cannot come from a clock in use; they map to the epoch.
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{Clock, SystemClock};

    #[test]
    fn ids_sort_by_creation_time() {
        let now = SystemClock.now();
        let earlier = OrderId::generate(now - TimeDelta::milliseconds(2));
        assert!(earlier < OrderId::generate(now));
    }

    #[test]
    fn ids_round_trip_through_text_and_json() {
        let id = ProductId::generate(SystemClock.now());
        assert_eq!(id.to_string().parse::<ProductId>().unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
    }
}
