//! The HTTP side: one endpoint a file, each with its request, its answer, and which problem each
//! error of its use-case becomes. `pages` is for people.

mod admin;
mod answer_challenge;
mod answers;
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
mod openapi;
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

use std::sync::Arc;

use actix_web::{
    body::BoxBody,
    dev::ServiceRequest,
    middleware::{Next, from_fn},
    web::{self, ServiceConfig},
};
use kernel::Permission;
use service_kit::{
    api_docs,
    browser::OwnOrigin,
    json::JsonLimit,
    routes::{Access, DeclaredRoute, RouteTable, not_found},
};

use self::answers::{
    Nothing, SessionAnswer, database_problem, password_problem, policy_problem, secret_answer,
};
use crate::service::AuthService;

pub use openapi::openapi;

pub(crate) use external_logins::callback_url as external_login_callback;

const PREFIX: &str = "/auth";
/// Of a body with credentials, in bytes.
const BODY_LIMIT: JsonLimit = JsonLimit(8 * 1024);

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
