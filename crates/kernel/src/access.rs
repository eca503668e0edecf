//! Who may do what: one declarative table, role × permission. Everything not in it is denied.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ApiKeyId, SessionId, UserId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Customer,
    Support,
    Admin,
    /// A program of ours or of a partner: a service account.
    Service,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, [$($role:ident)+], [$($trait:ident)*];)+) => {
        /// What a use-case asks of its caller. "Own" permissions also scope the query by the caller.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $variant,)+ }

        impl Permission {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name, also as an OAuth scope.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            const fn traits(self) -> &'static [Trait] {
                match self { $(Self::$variant => &[$(Trait::$trait),*],)+ }
            }
        }

        impl Role {
            /// The authorization matrix.
            #[must_use]
            pub const fn grants(self, permission: Permission) -> bool {
                match permission { $(Permission::$variant => matches!(self, $(Self::$role)|+),)+ }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trait {
    /// A person may hand it to an API key.
    Delegable,
    /// Too much to risk on a session that may have been revoked a moment ago.
    Privileged,
}

permissions! {
    // Ordering
    PlaceOrder = "orders:place", [Customer Support Admin], [Delegable];
    ReadOwnOrders = "orders:read", [Customer Support Admin], [Delegable];
    ReadAnyOrder = "orders:read-any", [Support Admin], [Delegable];
    CancelOwnOrder = "orders:cancel", [Customer Support Admin], [Delegable];
    RefundOrder = "orders:refund", [Admin], [Privileged];
    /// Products, their prices and their stock.
    ManageCatalogue = "catalogue:manage", [Admin], [Delegable];
    /// Everybody's orders as they move.
    WatchOrders = "orders:watch", [Admin], [];
    /// The steps of the order worker.
    AdvanceOrders = "orders:advance", [Service], [];
    // One's own account
    ReadOwnProfile = "profile:read", [Customer Support Admin], [Delegable];
    UpdateOwnProfile = "profile:write", [Customer Support Admin], [];
    ManageOwnSessions = "sessions:manage", [Customer Support Admin], [];
    /// Password, e-mail address, second factor, external identities.
    ManageOwnCredentials = "credentials:manage", [Customer Support Admin], [Privileged];
    ManageOwnApiKeys = "api-keys:manage", [Customer Support Admin], [Privileged];
    ExportOwnData = "account:export", [Customer Support Admin], [Privileged];
    DeleteOwnAccount = "account:delete", [Customer Support Admin], [Privileged];
    // The accounts of others
    ReadUsers = "users:read", [Support Admin], [Privileged];
    RevokeUserSessions = "users:revoke-sessions", [Support Admin], [Privileged];
    DisableUsers = "users:disable", [Admin], [Privileged];
    ChangeRoles = "users:change-role", [Admin], [Privileged];
    ReadAuditLog = "audit:read", [Admin], [Privileged];
    ManageServiceAccounts = "service-accounts:manage", [Admin], [Privileged];
    // Between programs
    LookUpUsers = "users:look-up", [Service], [];
    ListUsers = "users:list", [Service], [];
    ListAuditEvents = "audit:list", [Service], [];
    ResolveApiKeys = "api-keys:resolve", [Service], [];
    IntrospectTokens = "tokens:introspect", [Service], [];
}

impl Permission {
    /// Whether a person may hand it to an API key.
    #[must_use]
    pub fn is_delegable(self) -> bool {
        self.traits().contains(&Trait::Delegable)
    }

    /// Whether it is refused as long as nobody can tell which sessions have been revoked.
    #[must_use]
    pub fn is_privileged(self) -> bool {
        self.traits().contains(&Trait::Privileged)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission `{0}`")]
pub struct UnknownPermission(String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Customer, Self::Support, Self::Admin, Self::Service];
    /// What a person can be.
    pub const OF_PEOPLE: [Self; 3] = [Self::Customer, Self::Support, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Support => "support",
            Self::Admin => "admin",
            Self::Service => "service",
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

/// What a credential lets its holder use of what the roles grant. As text it is the `scope` of
/// RFC 6749 §3.3: names with spaces between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Everything,
    Only(BTreeSet<Permission>),
}

impl Scope {
    /// The scope of one's own sessions, as text.
    const EVERYTHING: &'static str = "plumbline";

    /// Reads a token's `scope`. A name that this version does not know grants nothing.
    #[must_use]
    pub fn of_claim(text: &str) -> Self {
        if text == Self::EVERYTHING {
            return Self::Everything;
        }
        Self::Only(
            text.split(' ')
                .filter_map(|name| name.parse().ok())
                .collect(),
        )
    }

    #[must_use]
    pub fn includes(&self, permission: Permission) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(permissions) => permissions.contains(&permission),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str(Self::EVERYTHING),
            Self::Only(permissions) => {
                for (position, permission) in permissions.iter().enumerate() {
                    let space = if position == 0 { "" } else { " " };
                    write!(f, "{space}{}", permission.as_str())?;
                }
                Ok(())
            }
        }
    }
}

/// With what the caller has identified itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    Session(SessionId),
    ApiKey(ApiKeyId),
    ServiceAccount,
}

/// The authenticated caller of a use-case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person; of a service account, its own id.
    pub user_id: UserId,
    pub credential: Credential,
    pub roles: Vec<Role>,
    pub scope: Scope,
}

impl Actor {
    /// A person who has logged in.
    #[must_use]
    pub fn of_session(user_id: UserId, session_id: SessionId, roles: Vec<Role>) -> Self {
        Self {
            user_id,
            credential: Credential::Session(session_id),
            roles,
            scope: Scope::Everything,
        }
    }

    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.scope.includes(permission) && self.roles.iter().any(|role| role.grants(permission))
    }

    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self.credential {
            Credential::Session(id) => Some(id),
            Credential::ApiKey(_) | Credential::ServiceAccount => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn actor(roles: Vec<Role>) -> Actor {
        Actor::of_session(Uuid::nil().into(), Uuid::nil().into(), roles)
    }

    #[test]
    fn someone_without_a_role_may_do_nothing() {
        for permission in Permission::ALL {
            assert!(!actor(vec![]).may(*permission));
        }
    }

    #[test]
    fn only_staff_reads_the_orders_of_others() {
        let granted = Role::ALL.map(|role| role.grants(Permission::ReadAnyOrder));
        assert_eq!(granted, [false, true, true, false]);
    }

    #[test]
    fn a_scope_takes_away_and_never_adds() {
        let mut actor = actor(vec![Role::Customer]);
        actor.scope = Scope::of_claim("orders:read users:read");
        assert!(actor.may(Permission::ReadOwnOrders));
        assert!(!actor.may(Permission::PlaceOrder), "not in the scope");
        assert!(!actor.may(Permission::ReadUsers), "not of the role");
    }

    #[test]
    fn nothing_privileged_can_be_delegated() {
        for permission in Permission::ALL {
            assert!(!(permission.is_delegable() && permission.is_privileged()));
        }
    }

    #[test]
    fn names_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
        for scope in ["plumbline", "", "orders:place orders:read"] {
            assert_eq!(Scope::of_claim(scope).to_string(), scope);
        }
        assert!("root".parse::<Role>().is_err());
        assert!("root".parse::<Permission>().is_err());
        let forged = Scope::of_claim("plumbline orders:read root");
        assert_eq!(forged.to_string(), "orders:read");
    }
}
