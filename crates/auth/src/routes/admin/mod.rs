//! What staff does to the accounts of others.

pub(super) mod change_role;
pub(super) mod disable_user;
pub(super) mod enable_user;
pub(super) mod end_user_sessions;
pub(super) mod list_audit_events;
pub(super) mod list_users;
pub(super) mod read_user;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use contracts::ErrorCode;
use kernel::UserId;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::problem::Problem;
use uuid::Uuid;

use super::database_problem;
use crate::{
    store::user,
    use_cases::admin::{AdminError, Slice},
};

/// Of a client that asks for none.
const DEFAULT_SIZE: i64 = 20;

/// Somebody's account, as staff sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct User {
    id: Uuid,
    #[schema(format = "email", example = "ada@example.com")]
    email: String,
    #[schema(example = "Ada Lovelace")]
    name: String,
    #[schema(example = "customer")]
    role: String,
    email_verified: bool,
    /// Since when the person can't log in.
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<user::Model> for User {
    fn from(user: user::Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role,
            email_verified: user.email_verified_at.is_some(),
            disabled_at: user.disabled_at,
            created_at: user.created_at,
        }
    }
}

/// Where a list goes on.
#[derive(Serialize, utoipa::ToSchema)]
struct Neighbours {
    /// For `after`, if there is a next page.
    next: Option<Uuid>,
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Forbidden => Self::new(ErrorCode::Forbidden),
            AdminError::OwnAccount => Self::new(ErrorCode::OwnAccount),
            AdminError::LastAdmin => Self::new(ErrorCode::LastAdmin),
            AdminError::NotFound => Self::new(ErrorCode::UserNotFound),
            AdminError::Database(error) => database_problem(error),
        }
    }
}

/// What is no id is the id of nobody.
fn user_id(text: &str) -> Result<UserId, Problem> {
    text.parse()
        .map_err(|_| Problem::new(ErrorCode::UserNotFound))
}

fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let query = actix_web::web::Query::<T>::from_query(request.query_string());
    query
        .map(actix_web::web::Query::into_inner)
        .map_err(|error| Problem::new(ErrorCode::MalformedRequest).detail(error.to_string()))
}

fn slice(first: Option<i64>, after: Option<String>) -> Result<Slice, Problem> {
    let after = after.map(|text| text.parse()).transpose();
    let after = after.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
    Slice::new(first.unwrap_or(DEFAULT_SIZE), after)
        .map_err(|error| Problem::new(ErrorCode::InvalidPageSize).cause(error))
}
