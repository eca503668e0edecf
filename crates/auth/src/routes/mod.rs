//! The HTTP side: one endpoint a file, each with its request, its answer, and which problem each
//! error of its use-case becomes. `pages` is for people.

mod admin;
mod answer_challenge;
mod api_keys;
mod browser;
mod change_password;
mod confirm_email;
mod confirm_email_change;
mod create_session;
mod delete_account;
mod export_data;
mod external_identities;
mod external_logins;
mod limits;
mod list_sessions;
mod logged_in;
mod me;
mod mfa;
mod oauth;
mod pages;
mod passkeys;
mod refresh_tokens;
mod register_user;
mod request_email_change;
mod request_email_verification;
mod request_password_reset;
mod reset_password;
mod revoke_all_sessions;
mod revoke_session;
mod second_factor;
mod service_accounts;
mod step_up;
mod update_profile;
mod well_known;

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    body::BoxBody,
    dev::ServiceRequest,
    http::header::{CACHE_CONTROL, HeaderValue},
    middleware::{Next, from_fn},
    web::{self, ServiceConfig},
};
use contracts::ErrorCode;
use kernel::Permission;
use sea_orm::DbErr;
use serde::Serialize;
use service_kit::{
    api_docs,
    browser::OwnOrigin,
    json::JsonLimit,
    problem::{Problem, ProblemBody},
    routes::{Access, DeclaredRoute, RouteTable, not_found},
};
use utoipa::OpenApi as _;

use self::limits::TooManyRequests;
use crate::{
    password::{PasswordError, PolicyViolation},
    service::AuthService,
    use_cases::begin_session::SessionTokens,
};

pub(crate) use external_logins::callback_url as external_login_callback;

const PREFIX: &str = "/auth";
/// Of a body with credentials, in bytes.
const BODY_LIMIT: JsonLimit = JsonLimit(8 * 1024);

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Plumbline auth",
        description = "Registration, log-in, sessions, and the keys that verify access tokens. \
                       Errors are RFC 9457 problems with a stable `code`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server of this document")),
    paths(
        admin::list_users::handle,
        admin::read_user::handle,
        admin::disable_user::handle,
        admin::enable_user::handle,
        admin::change_role::handle,
        admin::end_user_sessions::handle,
        admin::list_audit_events::handle,
        register_user::handle,
        request_email_verification::handle,
        confirm_email::handle,
        request_password_reset::handle,
        reset_password::handle,
        create_session::handle,
        list_sessions::handle,
        revoke_all_sessions::handle,
        revoke_session::handle,
        answer_challenge::handle,
        step_up::handle,
        refresh_tokens::handle,
        me::handle,
        external_logins::list_providers::handle,
        external_logins::begin::handle,
        external_logins::complete::handle,
        external_identities::list::handle,
        external_identities::link::handle,
        external_identities::unlink::handle,
        update_profile::handle,
        delete_account::handle,
        export_data::handle,
        change_password::handle,
        request_email_change::handle,
        confirm_email_change::handle,
        oauth::token::handle,
        oauth::introspect::handle,
        oauth::revoke::handle,
        api_keys::list,
        api_keys::create,
        api_keys::revoke,
        service_accounts::list,
        service_accounts::create,
        service_accounts::disable,
        passkeys::begin_adding::handle,
        passkeys::add::handle,
        passkeys::list::handle,
        passkeys::delete::handle,
        passkeys::begin_log_in::handle,
        passkeys::log_in::handle,
        mfa::read::handle,
        mfa::enrol_totp::handle,
        mfa::confirm_totp::handle,
        mfa::disable::handle,
        mfa::renew_recovery_codes::handle,
        well_known::jwks,
        well_known::metadata,
    ),
    components(schemas(ProblemBody)),
    modifiers(&ClientSecret, &TooManyRequests),
)]
struct Document;

struct ClientSecret;

impl utoipa::Modify for ClientSecret {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
        let client = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("client", client);
    }
}

/// The OpenAPI document of this service.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api_docs::complete(Document::openapi(), &declared_routes())
}

pub(crate) fn configure(service: &AuthService, config: &mut ServiceConfig) {
    let documents = web::Data::new(well_known::Documents::of(service));
    well_known::metadata_routes(&documents.issuer_path())
        .app_data(documents.clone())
        .configure(config);
    let scope = web::scope(PREFIX)
        .app_data(BODY_LIMIT)
        .app_data(web::Data::from(service.context()))
        .app_data(web::Data::new(service.verifier().clone()))
        .app_data(documents)
        .app_data(web::Data::new(OwnOrigin::of(service.public_url())))
        .default_service(web::to(not_found));
    let context = service.context();
    let limits = move |request: ServiceRequest, next: Next<BoxBody>| {
        limits::enforce(Arc::clone(&context), request, next)
    };
    config
        .configure(api_docs::configure(PREFIX, openapi()))
        .service(routes().mount(scope).wrap(from_fn(limits)));
}

/// Every route of this service, and who may call it.
#[must_use]
pub fn declared_routes() -> Vec<DeclaredRoute> {
    let tables = [
        routes(),
        api_docs::routes(PREFIX),
        well_known::metadata_routes(PREFIX),
    ];
    let declared = tables.iter().flat_map(|table| table.declared().to_vec());
    declared.collect()
}

fn routes() -> RouteTable {
    use Access::{Client, Needs, NeedsRecent, Public};
    RouteTable::new(PREFIX)
        // Registration
        .post("/v1/users", Public, register_user::handle)
        .post(
            "/v1/email-verifications",
            Public,
            request_email_verification::handle,
        )
        .post(
            "/v1/email-verifications/confirm",
            Public,
            confirm_email::handle,
        )
        // Passwords
        .post(
            "/v1/password-resets",
            Public,
            request_password_reset::handle,
        )
        .post(
            "/v1/password-resets/confirm",
            Public,
            reset_password::handle,
        )
        // Sessions
        .post("/v1/sessions", Public, create_session::handle)
        .get(
            "/v1/sessions",
            Needs(Permission::ManageOwnSessions),
            list_sessions::handle,
        )
        .delete(
            "/v1/sessions",
            Needs(Permission::ManageOwnSessions),
            revoke_all_sessions::handle,
        )
        .delete(
            "/v1/sessions/{id}",
            Needs(Permission::ManageOwnSessions),
            revoke_session::handle,
        )
        .post("/v1/sessions/mfa", Public, answer_challenge::handle)
        .post(
            "/v1/step-up",
            Needs(Permission::ManageOwnSessions),
            step_up::handle,
        )
        .post("/v1/tokens/refresh", Public, refresh_tokens::handle)
        // Log-in at a provider
        .get(
            "/v1/external-logins/providers",
            Public,
            external_logins::list_providers::handle,
        )
        .post(
            "/v1/external-logins",
            Public,
            external_logins::begin::handle,
        )
        .get(
            "/v1/external-logins/callback",
            Public,
            external_logins::callback_page::page,
        )
        .get(
            "/v1/external-logins/callback.js",
            Public,
            external_logins::callback_page::script,
        )
        .post(
            "/v1/external-logins/complete",
            Public,
            external_logins::complete::handle,
        )
        .get(
            "/v1/me/external-identities",
            Needs(Permission::ManageOwnCredentials),
            external_identities::list::handle,
        )
        .post(
            "/v1/me/external-identities",
            NeedsRecent(Permission::ManageOwnCredentials),
            external_identities::link::handle,
        )
        .delete(
            "/v1/me/external-identities/{id}",
            NeedsRecent(Permission::ManageOwnCredentials),
            external_identities::unlink::handle,
        )
        // One's own account
        .get("/v1/me", Needs(Permission::ReadOwnProfile), me::handle)
        .patch(
            "/v1/me",
            Needs(Permission::UpdateOwnProfile),
            update_profile::handle,
        )
        .delete(
            "/v1/me",
            NeedsRecent(Permission::DeleteOwnAccount),
            delete_account::handle,
        )
        .get(
            "/v1/me/export",
            NeedsRecent(Permission::ExportOwnData),
            export_data::handle,
        )
        .put(
            "/v1/me/password",
            NeedsRecent(Permission::ManageOwnCredentials),
            change_password::handle,
        )
        .post(
            "/v1/me/email",
            NeedsRecent(Permission::ManageOwnCredentials),
            request_email_change::handle,
        )
        .post(
            "/v1/email-changes/confirm",
            Public,
            confirm_email_change::handle,
        )
        // API keys
        .get(
            "/v1/me/api-keys",
            Needs(Permission::ManageOwnApiKeys),
            api_keys::list,
        )
        .post(
            "/v1/me/api-keys",
            NeedsRecent(Permission::ManageOwnApiKeys),
            api_keys::create,
        )
        .delete(
            "/v1/me/api-keys/{id}",
            Needs(Permission::ManageOwnApiKeys),
            api_keys::revoke,
        )
        // Programs
        .post("/oauth2/token", Client, oauth::token::handle)
        .post("/oauth2/introspect", Client, oauth::introspect::handle)
        .post("/oauth2/revoke", Client, oauth::revoke::handle)
        .get(
            "/v1/admin/service-accounts",
            Needs(Permission::ManageServiceAccounts),
            service_accounts::list,
        )
        .post(
            "/v1/admin/service-accounts",
            NeedsRecent(Permission::ManageServiceAccounts),
            service_accounts::create,
        )
        .delete(
            "/v1/admin/service-accounts/{id}",
            Needs(Permission::ManageServiceAccounts),
            service_accounts::disable,
        )
        .get(
            "/v1/me/mfa",
            Needs(Permission::ManageOwnCredentials),
            mfa::read::handle,
        )
        .post(
            "/v1/me/mfa/totp",
            NeedsRecent(Permission::ManageOwnCredentials),
            mfa::enrol_totp::handle,
        )
        .delete(
            "/v1/me/mfa/totp",
            NeedsRecent(Permission::ManageOwnCredentials),
            mfa::disable::handle,
        )
        .post(
            "/v1/me/mfa/totp/confirm",
            NeedsRecent(Permission::ManageOwnCredentials),
            mfa::confirm_totp::handle,
        )
        .post(
            "/v1/me/mfa/recovery-codes",
            NeedsRecent(Permission::ManageOwnCredentials),
            mfa::renew_recovery_codes::handle,
        )
        // Passkeys
        .post(
            "/v1/me/passkeys/options",
            NeedsRecent(Permission::ManageOwnCredentials),
            passkeys::begin_adding::handle,
        )
        .post(
            "/v1/me/passkeys",
            NeedsRecent(Permission::ManageOwnCredentials),
            passkeys::add::handle,
        )
        .get(
            "/v1/me/passkeys",
            Needs(Permission::ManageOwnCredentials),
            passkeys::list::handle,
        )
        .delete(
            "/v1/me/passkeys/{id}",
            NeedsRecent(Permission::ManageOwnCredentials),
            passkeys::delete::handle,
        )
        .post(
            "/v1/sessions/passkey/options",
            Public,
            passkeys::begin_log_in::handle,
        )
        .post("/v1/sessions/passkey", Public, passkeys::log_in::handle)
        // The accounts of others
        .get(
            "/v1/admin/users",
            Needs(Permission::ReadUsers),
            admin::list_users::handle,
        )
        .get(
            "/v1/admin/users/{id}",
            Needs(Permission::ReadUsers),
            admin::read_user::handle,
        )
        .post(
            "/v1/admin/users/{id}/disable",
            NeedsRecent(Permission::DisableUsers),
            admin::disable_user::handle,
        )
        .post(
            "/v1/admin/users/{id}/enable",
            NeedsRecent(Permission::DisableUsers),
            admin::enable_user::handle,
        )
        .put(
            "/v1/admin/users/{id}/role",
            NeedsRecent(Permission::ChangeRoles),
            admin::change_role::handle,
        )
        .delete(
            "/v1/admin/users/{id}/sessions",
            Needs(Permission::RevokeUserSessions),
            admin::end_user_sessions::handle,
        )
        .get(
            "/v1/admin/audit-events",
            Needs(Permission::ReadAuditLog),
            admin::list_audit_events::handle,
        )
        // Pages and documents
        .get("/.well-known/jwks.json", Public, well_known::jwks)
        .get(
            "/.well-known/oauth-authorization-server",
            Public,
            well_known::metadata,
        )
        .get("/confirm-email", Public, pages::confirm_email)
        .get("/confirm-email.js", Public, pages::confirm_email_script)
        .get("/confirm-email-change", Public, pages::confirm_email_change)
        .get(
            "/confirm-email-change.js",
            Public,
            pages::confirm_email_change_script,
        )
        .get("/reset-password", Public, pages::reset_password)
        .get("/reset-password.js", Public, pages::reset_password_script)
}

/// The answer to a log-in and to a refresh; names of RFC 6749 §5.1.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionAnswer {
    /// A JWT, sent as `Authorization: Bearer`.
    access_token: String,
    /// Works once; the answer to it has the next one.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    ///
    /// Left out where it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Of the access token, in seconds.
    #[schema(example = 600)]
    expires_in: i64,
    session_id: uuid::Uuid,
}

impl SessionAnswer {
    fn new(tokens: SessionTokens, lifetime: chrono::TimeDelta) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: Some(tokens.refresh_token.expose()),
            token_type: "Bearer",
            expires_in: lifetime.num_seconds(),
            session_id: tokens.session_id.as_uuid(),
        }
    }
}

/// `{}`: there is nothing to tell yet.
#[derive(Serialize, utoipa::ToSchema)]
struct Nothing {}

/// Credentials are in it: no cache may keep it (RFC 6749 §5.1).
fn secret_answer(
    mut response: actix_web::HttpResponseBuilder,
    body: &impl Serialize,
) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(body)
}

fn database_problem(error: DbErr) -> Problem {
    if database::is_transient(&error) {
        Problem::unavailable(error)
    } else {
        Problem::internal(error)
    }
}

/// A password that is refused, in a field of the request.
fn policy_problem(field: &str, violation: PolicyViolation) -> Problem {
    Problem::new(ErrorCode::Validation).field(field, violation.code(), violation.to_string())
}

fn password_problem(error: PasswordError) -> Problem {
    match error {
        PasswordError::Saturated => Problem::new(ErrorCode::HashCapacity)
            .retry_after(Duration::from_secs(2))
            .cause(error),
        PasswordError::Hash(_) | PasswordError::Died => Problem::internal(error),
    }
}
