//! The identities at external providers that open one's own account.

pub(super) mod link;
pub(super) mod list;
pub(super) mod unlink;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::store::external_identity;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ExternalIdentityAnswer {
    id: Uuid,
    /// A name of `GET /auth/v1/external-logins/providers`.
    #[schema(example = "example")]
    provider: String,
    /// As the provider had verified it when the identity was linked.
    #[schema(format = "email", example = "ada@example.com")]
    email: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<external_identity::Model> for ExternalIdentityAnswer {
    fn from(identity: external_identity::Model) -> Self {
        Self {
            id: identity.id,
            provider: identity.provider,
            email: identity.email,
            created_at: identity.created_at,
        }
    }
}
