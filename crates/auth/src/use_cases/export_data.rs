//! Everything that this context keeps about a person, for that person (GDPR Art. 15 and 20).

use chrono::{DateTime, Utc};
use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    origin::Origin,
    store::{
        api_key, audit_event, email_change, external_identity, passkey, recovery_code, session,
        totp_credential, user,
    },
};

/// More than that and the export says that there is more.
const MAX_EVENTS: u64 = 10_000;
const MAX_SESSIONS: u64 = 1_000;
const MAX_API_KEYS: u64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportDataError {
    #[error("the actor may not export data")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Rows as they are stored: what is secret in them, whoever answers leaves out.
pub(crate) struct PersonalData {
    pub at: DateTime<Utc>,
    pub user: user::Model,
    /// Waits for its confirmation.
    pub new_email: Option<String>,
    pub is_mfa_enabled: bool,
    /// Unused ones.
    pub recovery_codes: u64,
    pub passkeys: Vec<passkey::Model>,
    pub identities: Vec<external_identity::Model>,
    /// Revoked ones too, the newest first.
    pub api_keys: Vec<api_key::Model>,
    /// Ended ones too, the newest first.
    pub sessions: Vec<session::Model>,
    /// Of and about the person, the newest first.
    pub audit_events: Vec<audit_event::Model>,
    /// Whether there are no older ones.
    pub audit_events_complete: bool,
}

pub(crate) async fn export_data(
    context: &Context,
    actor: &Actor,
    origin: &Origin,
) -> Result<PersonalData, ExportDataError> {
    if !actor.may(Permission::ExportOwnData) {
        return Err(ExportDataError::Forbidden);
    }
    let reader = context.database.reader();
    let user = user::find_active(reader, actor.user_id)
        .await?
        .ok_or(ExportDataError::Gone)?;
    let sessions = session::list_of(reader, actor.user_id, MAX_SESSIONS).await?;
    let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
    let mut audit_events =
        audit_event::list_of_person(reader, actor.user_id, &ids, MAX_EVENTS + 1).await?;
    let audit_events_complete = audit_events.len() as u64 <= MAX_EVENTS;
    audit_events.truncate(MAX_EVENTS as usize);
    let now = context.now();
    let change = email_change::find_of(reader, user.id, now).await?;
    let data = PersonalData {
        at: now,
        new_email: change.map(|change| change.new_email),
        is_mfa_enabled: totp_credential::is_mfa_enabled(reader, actor.user_id).await?,
        recovery_codes: recovery_code::count_left(reader, actor.user_id).await?,
        passkeys: passkey::of_user(reader, actor.user_id).await?,
        identities: external_identity::of_user(reader, actor.user_id).await?,
        api_keys: api_key::list_of(reader, actor.user_id, MAX_API_KEYS).await?,
        user,
        sessions,
        audit_events,
        audit_events_complete,
    };
    let event = Event::new(actor.into(), Action::DataExported, actor.user_id, origin);
    audit::record(context.database.writer(), event, now).await?;
    Ok(data)
}
