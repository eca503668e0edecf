//! What every service needs and no domain: configuration, telemetry, lifecycle, health, errors
//! on the wire, security headers, token verification, mail.

pub mod access_token;
pub mod api_docs;
pub mod browser;
pub mod client_address;
pub mod config;
pub mod health;
pub mod json;
pub mod jwks;
pub mod lifecycle;
pub mod mail;
pub mod problem;
pub mod rate_limit;
pub mod request_telemetry;
pub mod revocation;
pub mod routes;
pub mod security_headers;
pub mod telemetry;
