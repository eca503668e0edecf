//! The OpenAPI document.

use service_kit::{api_docs, problem::ProblemBody};
use utoipa::OpenApi as _;

use super::{limits::TooManyRequests, *};

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
