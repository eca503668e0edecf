use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue},
    web,
};
use chrono::{DateTime, Utc};
use contracts::ErrorCode;
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};
use uuid::Uuid;

use super::{database_problem, me::Profile};
use crate::{
    context::Context,
    origin::Origin,
    store::{api_key, audit_event, external_identity, passkey, session},
    use_cases::export_data::{ExportDataError, PersonalData, export_data},
};

const ATTACHMENT: HeaderValue =
    HeaderValue::from_static("attachment; filename=\"plumbline-account.json\"");

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct DataExport {
    exported_at: DateTime<Utc>,
    profile: Profile,
    /// Waits for its confirmation.
    #[schema(format = "email", example = "ada.king@example.com")]
    new_email: Option<String>,
    second_factor: ExportedSecondFactor,
    passkeys: Vec<ExportedPasskey>,
    external_identities: Vec<ExportedIdentity>,
    /// Revoked ones too, the newest first.
    api_keys: Vec<ExportedApiKey>,
    /// Ended ones too, the newest first.
    sessions: Vec<ExportedSession>,
    /// What the account did and what was done to it, the newest first.
    audit_events: Vec<ExportedEvent>,
    /// False if there are older ones beyond the first ten thousand.
    audit_events_complete: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedSecondFactor {
    authenticator_app: bool,
    /// Unused ones.
    #[schema(example = 10)]
    recovery_codes: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedPasskey {
    id: Uuid,
    #[schema(example = "My phone")]
    name: String,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedIdentity {
    #[schema(example = "example-id")]
    provider: String,
    #[schema(example = "https://id.example.com")]
    issuer: String,
    #[schema(example = "248289761001")]
    subject: String,
    email: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedApiKey {
    id: Uuid,
    #[schema(example = "Nightly report")]
    name: String,
    #[schema(example = "orders:read profile:read")]
    scopes: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedSession {
    id: Uuid,
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64)")]
    device: Option<String>,
    #[schema(example = "192.0.2.7")]
    ip: Option<String>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedEvent {
    occurred_at: DateTime<Utc>,
    #[schema(example = "user.password-changed")]
    action: String,
    #[schema(example = "succeeded")]
    outcome: String,
    /// Whether it was the account itself; who else it was is their own matter.
    by_account: bool,
    /// From where, if it was the account itself.
    #[schema(example = "192.0.2.7")]
    ip: Option<String>,
}

impl From<PersonalData> for DataExport {
    fn from(data: PersonalData) -> Self {
        let user_id = data.user.id;
        let events = data.audit_events.into_iter();
        Self {
            exported_at: data.at,
            profile: data.user.into(),
            new_email: data.new_email,
            second_factor: ExportedSecondFactor {
                authenticator_app: data.is_mfa_enabled,
                recovery_codes: data.recovery_codes,
            },
            passkeys: data.passkeys.into_iter().map(Into::into).collect(),
            external_identities: data.identities.into_iter().map(Into::into).collect(),
            api_keys: data.api_keys.into_iter().map(Into::into).collect(),
            sessions: data.sessions.into_iter().map(Into::into).collect(),
            audit_events: events.map(|event| exported(event, user_id)).collect(),
            audit_events_complete: data.audit_events_complete,
        }
    }
}

impl From<passkey::Model> for ExportedPasskey {
    fn from(passkey: passkey::Model) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        }
    }
}

impl From<external_identity::Model> for ExportedIdentity {
    fn from(identity: external_identity::Model) -> Self {
        Self {
            provider: identity.provider,
            issuer: identity.issuer,
            subject: identity.subject,
            email: identity.email,
            created_at: identity.created_at,
        }
    }
}

impl From<api_key::Model> for ExportedApiKey {
    fn from(key: api_key::Model) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl From<session::Model> for ExportedSession {
    fn from(session: session::Model) -> Self {
        Self {
            id: session.id,
            device: session.device,
            ip: session.ip,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            revoked_at: session.revoked_at,
        }
    }
}

fn exported(event: audit_event::Model, user_id: Uuid) -> ExportedEvent {
    let by_account = event.actor_id == Some(user_id);
    ExportedEvent {
        occurred_at: event.occurred_at,
        action: event.action,
        outcome: event.outcome,
        by_account,
        ip: event.ip.filter(|_| by_account),
    }
}

impl From<ExportDataError> for Problem {
    fn from(error: ExportDataError) -> Self {
        match error {
            ExportDataError::Forbidden => Self::new(ErrorCode::Forbidden),
            ExportDataError::Gone => Self::new(ErrorCode::InvalidToken),
            ExportDataError::Database(error) => database_problem(error),
        }
    }
}

/// Export one's own data.
///
/// Everything that this service keeps about the account, without secrets. The log-in must be recent.
#[utoipa::path(
    get,
    path = "/auth/v1/me/export",
    operation_id = "exportData",
    tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "An attachment", body = DataExport),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let data = export_data(&context, caller.actor(), &origin).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((CONTENT_DISPOSITION, ATTACHMENT))
        .json(DataExport::from(data)))
}
