//! The auth database: one file a table, its rows and the queries on them; `expiring` and
//! `mail_token` hold what several tables share.

pub(crate) mod api_key;
pub(crate) mod audit_event;
pub(crate) mod email_change;
pub(crate) mod email_verification;
pub(crate) mod expiring;
pub(crate) mod external_identity;
pub(crate) mod external_login;
pub(crate) mod mail_token;
pub(crate) mod mfa_challenge;
pub(crate) mod passkey;
pub(crate) mod passkey_ceremony;
pub(crate) mod password_reset;
pub(crate) mod personal_data;
pub(crate) mod recovery_code;
pub(crate) mod refresh_token;
mod rows;
pub(crate) mod service_account;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod totp_credential;
pub(crate) mod user;

pub(crate) use rows::Rows;
