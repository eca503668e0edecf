//! `plumbline.user_directory.v1`: from messages to use-cases and back.

use std::sync::Arc;

use kernel::{Actor, UserId};
use service_kit::problem::chain;
use tonic::{Request, Response, Status, async_trait};
use user_directory::{
    MAX_IDS,
    v1::{BatchGetUsersRequest, BatchGetUsersResponse, User, user_directory_server::UserDirectory},
};

use crate::{
    context::Context,
    use_cases::look_up_users::{LookUpError, look_up_users},
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
            LookUpError::Forbidden => Self::permission_denied("the token does not allow this"),
            LookUpError::Database(error) if database::is_transient(&error) => {
                tracing::warn!(cause = chain(&error), "a gRPC call failed");
                Self::unavailable("a dependency is away")
            }
            LookUpError::Database(error) => {
                tracing::error!(cause = chain(&error), "a gRPC call failed");
                Self::internal("something went wrong on our side")
            }
        }
    }
}
