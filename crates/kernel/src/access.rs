//! Who may do what: one declarative table, role × permission. Everything not in it is denied.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{SessionId, UserId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Customer,
    Support,
    Admin,
}

/// What a use-case asks of its caller. "Own" permissions also scope the query by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    PlaceOrder,
    ReadOwnOrders,
    ReadOwnProfile,
    ReadAnyOrder,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Customer, Self::Support, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// The authorization matrix.
    #[must_use]
    pub const fn grants(self, permission: Permission) -> bool {
        match permission {
            Permission::PlaceOrder | Permission::ReadOwnOrders | Permission::ReadOwnProfile => true,
            Permission::ReadAnyOrder => matches!(self, Self::Support | Self::Admin),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role `{0}`")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The authenticated caller of a use-case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub roles: Vec<Role>,
}

impl Actor {
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.roles.iter().any(|role| role.grants(permission))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn someone_without_a_role_may_do_nothing() {
        let actor = Actor {
            user_id: Uuid::nil().into(),
            session_id: Uuid::nil().into(),
            roles: vec![],
        };
        assert!(!actor.may(Permission::ReadOwnProfile));
    }

    #[test]
    fn only_staff_reads_the_orders_of_others() {
        let granted = Role::ALL.map(|role| role.grants(Permission::ReadAnyOrder));
        assert_eq!(granted, [false, true, true]);
    }

    #[test]
    fn roles_round_trip_through_their_names() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
