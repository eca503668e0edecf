//! The gRPC side, for other services: the user directory behind a [`Guard`], and the standard
//! health service beside it. Where auth and its caller share a process, the same services are
//! called as functions.

mod directory;
mod guard;
mod server;

use std::sync::Arc;

use kernel::Permission;
use service_kit::access_token::Verifier;
use tonic::service::Routes;
use user_directory::{MAX_MESSAGE, v1::user_directory_server::UserDirectoryServer};

use crate::context::Context;
use directory::Directory;
use guard::Guard;

pub(crate) use server::serve;

/// Every method with the permission that it needs; what is not in the table is refused.
const METHODS: &[(&str, Permission)] = &[
    (
        "/plumbline.user_directory.v1.UserDirectory/BatchGetUsers",
        Permission::LookUpUsers,
    ),
    (
        "/plumbline.user_directory.v1.UserDirectory/ListUsers",
        Permission::ListUsers,
    ),
    (
        "/plumbline.user_directory.v1.UserDirectory/ListAuditEvents",
        Permission::ListAuditEvents,
    ),
    (
        "/plumbline.user_directory.v1.UserDirectory/ResolveApiKey",
        Permission::ResolveApiKeys,
    ),
];

/// The services, behind their guard. `verifier` is that of tokens for the directory.
pub(crate) fn services(context: Arc<Context>, verifier: Verifier) -> Routes {
    let directory = UserDirectoryServer::new(Directory { context })
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    Routes::new(Guard::new(directory, METHODS, verifier))
}
