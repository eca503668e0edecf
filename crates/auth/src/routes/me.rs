use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use contracts::ErrorCode;
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};
use uuid::Uuid;

use super::database_problem;
use crate::{
    context::Context,
    store::user,
    use_cases::read_profile::{ReadProfileError, read_profile},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Profile {
    id: Uuid,
    #[schema(format = "email", example = "ada@example.com")]
    email: String,
    #[schema(example = "Ada Lovelace")]
    name: String,
    #[schema(example = json!(["customer"]))]
    roles: Vec<String>,
    email_verified: bool,
    created_at: DateTime<Utc>,
}

impl From<user::Model> for Profile {
    fn from(user: user::Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            roles: vec![user.role],
            email_verified: user.email_verified_at.is_some(),
            created_at: user.created_at,
        }
    }
}

impl From<ReadProfileError> for Problem {
    fn from(error: ReadProfileError) -> Self {
        match error {
            ReadProfileError::Forbidden => Self::new(ErrorCode::Forbidden),
            ReadProfileError::Gone => Self::new(ErrorCode::InvalidToken),
            ReadProfileError::Database(error) => database_problem(error),
        }
    }
}

/// Read one's own account.
///
/// The account of the access token.
#[utoipa::path(
    get,
    path = "/auth/v1/me",
    operation_id = "readProfile",
    tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "One's own account", body = Profile),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let user = read_profile(&context, caller.actor()).await?;
    Ok(super::secret_answer(
        HttpResponse::Ok(),
        &Profile::from(user),
    ))
}
