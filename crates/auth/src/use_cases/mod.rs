//! What can be done with identities, whoever asks: no HTTP here. One use-case a file.

pub(crate) mod admin;
pub(crate) mod answer_challenge;
pub(crate) mod authenticate_client;
pub(crate) mod begin_external_login;
pub(crate) mod begin_session;
pub(crate) mod complete_external_login;
pub(crate) mod confirm_email;
pub(crate) mod finish_log_in;
pub(crate) mod issue_service_token;
pub(crate) mod list_external_identities;
pub(crate) mod list_sessions;
pub(crate) mod log_in;
pub(crate) mod look_up_users;
pub(crate) mod mfa;
pub(crate) mod passkeys;
pub(crate) mod re_encrypt;
pub(crate) mod read_profile;
pub(crate) mod refresh_session;
pub(crate) mod register_user;
pub(crate) mod revoke_sessions;
pub(crate) mod second_factor;
pub(crate) mod service_accounts;
pub(crate) mod step_up;
pub(crate) mod unlink_external_identity;
