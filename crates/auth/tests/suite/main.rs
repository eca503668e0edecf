//! The auth service over HTTP, in process, on a fresh database a test: SQLite, and PostgreSQL when
//! `PLUMBLINE_TEST_MODE=distributed` and `PLUMBLINE_TEST_POSTGRES_URL` is set.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests, helpers included, fail by panicking"
)]

mod account_end;
mod admin;
mod api_keys;
mod background;
mod browser_sessions;
mod confirm_email;
mod create_session;
mod dependencies_away;
mod docs;
mod enumeration;
mod enumeration_timing;
mod external;
mod grpc;
mod harness;
mod log_in_races;
mod mail;
mod me;
mod mfa;
mod mfa_log_in;
mod oauth_introspect;
mod oauth_token;
mod other_implementations;
mod own_account;
mod password_resets;
mod refresh_tokens;
mod register_user;
mod requests;
mod schema;
mod service_accounts;
mod sessions;
mod signing_keys;
mod step_up;
mod throttling;
mod well_known;
