//! Mails leave through the outbox, in the transaction of what they tell of. The request names rows
//! and never holds a token: the consumer reads the address and derives the token. Only an address
//! that no row holds any more travels with its request.

mod compose;
mod consumer;
mod letters;

use chrono::{DateTime, Utc};
use contracts::{DeclaredEvent, Envelope};
use kernel::EventId;
use messaging::{
    QueueSpec,
    outbox::{self, OutboxEvent},
};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use consumer::{MailConsumer, PREFETCH};

/// Asks for a mail. Routing key and CloudEvents type.
pub(crate) const MAIL_REQUESTED: &str = "auth.mail.requested.v1";

pub(crate) const QUEUE: QueueSpec = QueueSpec {
    name: "auth.mail",
    bindings: &[MAIL_REQUESTED],
    delivery_limit: 20,
};

const SOURCE: &str = "/auth";
const AGGREGATE: &str = "user";

/// Which mail, about what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "template", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum MailRequest {
    /// Confirm your address.
    EmailVerification {
        verification_id: Uuid,
    },
    /// Somebody registered an address that has an account.
    AddressRegistered {
        user_id: Uuid,
    },
    /// From now on an account can be opened by logging in at a provider.
    ExternalIdentityLinked {
        identity_id: Uuid,
    },
    /// From now on a log-in asks for a second factor ...
    MfaEnabled {
        user_id: Uuid,
    },
    /// ... and now no longer.
    MfaDisabled {
        user_id: Uuid,
    },
    /// From now on a passkey logs in alone ...
    PasskeyAdded {
        user_id: Uuid,
    },
    /// ... and this one no longer.
    PasskeyDeleted {
        user_id: Uuid,
    },
    RecoveryCodesRenewed {
        user_id: Uuid,
    },
    /// Somebody got in with a recovery code.
    RecoveryCodeUsed {
        user_id: Uuid,
    },
    /// Somebody who knows the password has guessed codes.
    SecondFactorLocked {
        user_id: Uuid,
    },
    /// Choose a new password.
    PasswordReset {
        reset_id: Uuid,
    },
    /// The password is another one now.
    PasswordChanged {
        user_id: Uuid,
    },
    /// To the present address: another one was asked for.
    EmailChangeRequested {
        change_id: Uuid,
    },
    /// To the new address: confirm it.
    EmailChange {
        change_id: Uuid,
    },
    /// Somebody wanted to change to an address that has an account.
    AddressWanted {
        user_id: Uuid,
    },
    /// To the former address, which no row holds any more.
    EmailChanged {
        user_id: Uuid,
        former: String,
    },
    /// A last word to an address that no row holds any more.
    AccountDeleted {
        email: String,
        name: String,
    },
    /// A session ended, because its refresh token was used twice.
    SessionRevoked {
        user_id: Uuid,
    },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestMailError {
    #[error("the mail request can't be encoded")]
    Encode(#[from] serde_json::Error),
    #[error("the mail request can't be written")]
    Database(#[from] DbErr),
}

/// The identity context's events, as documents and tests want to know them.
#[must_use]
pub fn declared_events() -> Vec<DeclaredEvent> {
    let summary = "A person is to get a mail.";
    vec![DeclaredEvent::new::<MailRequest>(
        MAIL_REQUESTED,
        SOURCE,
        summary,
    )]
}

/// Asks for a mail when the transaction commits. Wake the relay afterwards.
pub(crate) async fn request_mail(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    request: MailRequest,
    now: DateTime<Utc>,
) -> Result<(), RequestMailError> {
    let id = EventId::generate(now).as_uuid();
    let traceparent = trace_context::current_traceparent();
    let envelope = Envelope::new(
        id,
        SOURCE,
        MAIL_REQUESTED,
        user_id,
        now,
        traceparent.clone(),
        request,
    );
    let event = OutboxEvent {
        id,
        aggregate_type: AGGREGATE,
        aggregate_id: user_id,
        event_type: MAIL_REQUESTED.to_owned(),
        body: envelope.encode()?,
        traceparent,
        available_at: now,
    };
    outbox::append(transaction, now, event).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_form_of_a_request_is_stable() {
        let request = MailRequest::EmailVerification {
            verification_id: Uuid::nil(),
        };
        let json = serde_json::to_value(request).unwrap();
        let expected = serde_json::json!({
            "template": "email_verification",
            "verification_id": "00000000-0000-0000-0000-000000000000",
        });
        assert_eq!(json, expected);
    }
}
