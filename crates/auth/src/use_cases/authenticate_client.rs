//! An OAuth 2.0 client shows who it is (RFC 6749 §2.3).

use std::fmt;

use sea_orm::DbErr;

use crate::{
    context::Context,
    secret::{OpaqueToken, TokenHash},
    store::service_account::{self, Model},
};

/// As the client sent them.
pub(crate) struct ClientCredentials {
    pub client_id: String,
    pub client_secret: String,
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("there is no such client, its secret is another, or it is disabled")]
    Invalid,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The account of a client that knows its secret. Nothing tells an unknown client from a wrong
/// secret: both cost a query and a comparison.
pub(crate) async fn authenticate_client(
    context: &Context,
    credentials: &ClientCredentials,
) -> Result<Model, ClientError> {
    let name = credentials.client_id.as_str();
    let account = service_account::find_by_name(context.database.reader(), name).await?;
    let presented = OpaqueToken::parse(&credentials.client_secret).map(|secret| secret.hash());
    let presented = presented.unwrap_or_else(|_| TokenHash::of_nothing());
    let stored = account
        .as_ref()
        .map(|account| account.secret_hash.as_slice());
    let is_right = presented.equals(stored.unwrap_or_default());
    match account {
        Some(account) if is_right && account.disabled_at.is_none() => Ok(account),
        Some(_) | None => Err(ClientError::Invalid),
    }
}
