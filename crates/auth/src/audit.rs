//! The audit log: who did what to whom, from where. It is written in the transaction that it
//! records, so that neither exists without the other, and never holds a secret.

use chrono::{DateTime, Utc};
use kernel::{Actor, Credential, UserId};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    origin::Origin,
    store::{
        audit_event::{self, Model},
        user,
    },
};

macro_rules! actions {
    ($($variant:ident = $name:literal;)+) => {
        /// What can be found in the log, by stable names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Action { $($variant,)+ }

        impl Action {
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

actions! {
    UserRegistered = "user.registered";
    EmailVerificationRequested = "user.email-verification-requested";
    EmailVerified = "user.email-verified";
    PasswordResetRequested = "user.password-reset-requested";
    PasswordReset = "user.password-reset";
    PasswordChanged = "user.password-changed";
    AccountDeleted = "user.deleted";
    DataExported = "user.data-exported";
    ProfileUpdated = "user.profile-updated";
    EmailChangeRequested = "user.email-change-requested";
    EmailChanged = "user.email-changed";
    SessionCreated = "session.created";
    ExternalIdentityLinked = "external-identity.linked";
    ExternalIdentityUnlinked = "external-identity.unlinked";
    SessionRevoked = "session.revoked";
    AllSessionsRevoked = "session.all-revoked";
    PasskeyAdded = "passkey.added";
    PasskeyDeleted = "passkey.deleted";
    RefreshReused = "session.refresh-reused";
    ApiKeyCreated = "api-key.created";
    ApiKeyRevoked = "api-key.revoked";
    ServiceAccountCreated = "service-account.created";
    ServiceAccountDisabled = "service-account.disabled";
    SteppedUp = "session.stepped-up";
    MfaEnabled = "mfa.enabled";
    MfaDisabled = "mfa.disabled";
    RecoveryCodesRenewed = "mfa.recovery-codes-renewed";
    RecoveryCodeUsed = "mfa.recovery-code-used";
    SecondFactorRefused = "mfa.code-refused";
    SecondFactorLocked = "mfa.locked";
    UserDisabled = "user.disabled";
    UserEnabled = "user.enabled";
    RoleChanged = "user.role-changed";
    UserSessionsRevoked = "user.sessions-revoked";
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Person(UserId),
    ApiKey(UserId),
    ServiceAccount(UserId),
    /// Whoever runs the program at its command line.
    Operator,
    /// Nobody who is known: a registration, a link in a mail.
    Anonymous,
    /// This service by itself.
    System,
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        match actor.credential {
            Credential::Session(_) => Self::Person(actor.user_id),
            Credential::ApiKey(_) => Self::ApiKey(actor.user_id),
            Credential::ServiceAccount => Self::ServiceAccount(actor.user_id),
        }
    }
}

impl By {
    const fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::ApiKey(_) => "api_key",
            Self::ServiceAccount(_) => "service_account",
            Self::Operator => "operator",
            Self::Anonymous => "anonymous",
            Self::System => "system",
        }
    }

    const fn id(self) -> Option<Uuid> {
        match self {
            Self::Person(id) | Self::ApiKey(id) | Self::ServiceAccount(id) => Some(id.as_uuid()),
            Self::Operator | Self::Anonymous | Self::System => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Refused,
}

/// One line of the log. Build it with [`Event::new`] and what the case has beyond that.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    by: By,
    action: Action,
    target: (&'static str, Option<String>),
    origin: &'a Origin,
    outcome: Outcome,
    details: Value,
}

impl<'a> Event<'a> {
    /// Something that happened to a user.
    pub(crate) fn new(by: By, action: Action, user_id: UserId, origin: &'a Origin) -> Self {
        Self {
            by,
            action,
            target: ("user", Some(user_id.to_string())),
            origin,
            outcome: Outcome::Succeeded,
            details: json!({}),
        }
    }

    /// Something that somebody tried with an address, which may have no account.
    pub(crate) fn of_address(
        action: Action,
        owner: Option<&user::Model>,
        origin: &'a Origin,
    ) -> Self {
        Self {
            by: By::Anonymous,
            action,
            target: ("user", owner.map(|owner| owner.id.to_string())),
            origin,
            outcome: Outcome::Succeeded,
            details: json!({}),
        }
    }

    /// It happened to something else than a user.
    #[must_use]
    pub(crate) fn target(mut self, kind: &'static str, id: impl ToString) -> Self {
        self.target = (kind, Some(id.to_string()));
        self
    }

    #[must_use]
    pub(crate) fn refused(self) -> Self {
        self.refused_if(true)
    }

    #[must_use]
    pub(crate) fn refused_if(mut self, refused: bool) -> Self {
        if refused {
            self.outcome = Outcome::Refused;
        }
        self
    }

    /// What else there is to know, as an object. Never a secret.
    #[must_use]
    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// Writes one line when the transaction commits.
pub(crate) async fn record(
    transaction: &impl ConnectionTrait,
    event: Event<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (target_kind, target_id) = event.target;
    let outcome = match event.outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Refused => "refused",
    };
    let row = Model {
        id: kernel::EventId::generate(now).as_uuid(),
        occurred_at: now,
        actor_kind: event.by.kind().to_owned(),
        actor_id: event.by.id(),
        action: event.action.as_str().to_owned(),
        target_kind: target_kind.to_owned(),
        target_id,
        ip: event.origin.ip.map(|ip| ip.to_string()),
        request_id: event.origin.request_id.clone(),
        outcome: outcome.to_owned(),
        details: event.details,
    };
    audit_event::insert(transaction, row).await
}
