//! `plumbline.user_directory.v1`: from messages to use-cases and back.

use std::sync::Arc;

use contracts::ApiKey;
use kernel::{Actor, UserId};
use sea_orm::DbErr;
use service_kit::problem::chain;
use tonic::{Request, Response, Status, async_trait};
use user_directory::{
    MAX_IDS,
    v1::{
        self, BatchGetUsersRequest, BatchGetUsersResponse, ResolveApiKeyRequest,
        ResolveApiKeyResponse, User, user_directory_server::UserDirectory,
    },
};

use crate::{
    context::Context,
    use_cases::{
        look_up_users::{LookUpError, look_up_users},
        resolve_api_key::{ResolveError, resolve_api_key_for},
    },
};

pub(super) struct Directory {
    pub context: Arc<Context>,
}

#[async_trait]
impl UserDirectory for Directory {
    async fn batch_get_users(
        &self,
        request: Request<BatchGetUsersRequest>,
    ) -> Result<Response<BatchGetUsersResponse>, Status> {
        let actor = actor(&request)?;
        let ids = user_ids(&request.get_ref().ids)?;
        let found = look_up_users(&self.context, &actor, &ids).await?;
        let users = found.into_iter().map(|user| User {
            id: user.id.to_string(),
            name: user.name,
            email: user.email,
        });
        let users = users.collect();
        Ok(Response::new(BatchGetUsersResponse { users }))
    }

    async fn resolve_api_key(
        &self,
        request: Request<ResolveApiKeyRequest>,
    ) -> Result<Response<ResolveApiKeyResponse>, Status> {
        let actor = actor(&request)?;
        let malformed = |_| Status::invalid_argument("not an API key");
        let key = ApiKey::parse(&request.get_ref().key).map_err(malformed)?;
        let found = resolve_api_key_for(&self.context, &actor, &key).await?;
        let api_key = found.map(v1::ApiKey::from);
        Ok(Response::new(ResolveApiKeyResponse { api_key }))
    }
}

/// Whom the guard let in.
fn actor<M>(request: &Request<M>) -> Result<Actor, Status> {
    let actor = request.extensions().get::<Actor>().cloned();
    actor.ok_or_else(|| Status::unauthenticated("a service token is required"))
}

fn user_ids(texts: &[String]) -> Result<Vec<UserId>, Status> {
    if texts.len() > MAX_IDS {
        let message = format!("at most {MAX_IDS} ids");
        return Err(Status::invalid_argument(message));
    }
    let invalid = |_| Status::invalid_argument("an id is a UUID");
    texts
        .iter()
        .map(|text| text.parse().map_err(invalid))
        .collect()
}

impl From<LookUpError> for Status {
    fn from(error: LookUpError) -> Self {
        match error {
            LookUpError::Forbidden => forbidden(),
            LookUpError::Database(error) => failed(&error),
        }
    }
}

impl From<ResolveError> for Status {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Forbidden => forbidden(),
            ResolveError::Database(error) => failed(&error),
            ResolveError::Role(error) => internal(&error),
        }
    }
}

fn forbidden() -> Status {
    Status::permission_denied("the token does not allow this")
}

fn failed(error: &DbErr) -> Status {
    if database::is_transient(error) {
        tracing::warn!(cause = chain(error), "a gRPC call failed");
        Status::unavailable("a dependency is away")
    } else {
        internal(error)
    }
}

fn internal(error: &dyn std::error::Error) -> Status {
    tracing::error!(cause = chain(error), "a gRPC call failed");
    Status::internal("something went wrong on our side")
}
