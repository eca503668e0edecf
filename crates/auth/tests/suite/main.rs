//! The auth service over HTTP, in process, on a fresh database a test: SQLite, and PostgreSQL when
//! `PLUMBLINE_TEST_MODE=distributed` and `PLUMBLINE_TEST_POSTGRES_URL` is set.

mod background;
mod confirm_email;
mod create_session;
mod docs;
mod enumeration;
mod harness;
mod me;
mod refresh_tokens;
mod register_user;
mod requests;
mod signing_key;
mod well_known;
