//! `/v1/me/api-keys`.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use contracts::ErrorCode;
use serde::{Deserialize, Serialize};
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};
use uuid::Uuid;

use super::{database_problem, secret_answer};
use crate::{
    context::Context,
    display_name::DisplayName,
    origin::Origin,
    store::api_key::Model,
    use_cases::api_keys::{ApiKeyError, NewApiKey, create_api_key, list_api_keys, revoke_api_key},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateApiKeyRequest {
    /// What it is for.
    #[schema(example = "stock report", min_length = 1, max_length = 100)]
    name: String,
    /// Permissions that one has and may hand on.
    #[schema(example = json!(["orders:read"]))]
    scopes: Vec<String>,
    /// Within a year.
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ApiKeyBody {
    id: Uuid,
    #[schema(example = "stock report")]
    name: String,
    #[schema(example = json!(["orders:read"]))]
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewApiKeyBody {
    #[serde(flatten)]
    api_key: ApiKeyBody,
    /// Sent as `Authorization: Bearer`. Shown this once.
    #[schema(example = "plk_0198c0de…_5f3c…_0c3a9b1d")]
    key: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ApiKeyList {
    /// The newest first.
    items: Vec<ApiKeyBody>,
}

impl From<Model> for ApiKeyBody {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        let invalid = |field: &str, error: &ApiKeyError| {
            Self::new(ErrorCode::Validation).field(field, "invalid", error.to_string())
        };
        match error {
            ApiKeyError::Forbidden => Self::new(ErrorCode::Forbidden),
            ApiKeyError::Scopes => invalid("scopes", &error),
            ApiKeyError::Expiry => invalid("expires_at", &error),
            ApiKeyError::TooMany => Self::new(ErrorCode::TooManyApiKeys),
            ApiKeyError::NotFound => Self::new(ErrorCode::ApiKeyNotFound),
            ApiKeyError::Random(error) => Self::internal(error),
            ApiKeyError::Database(error) => database_problem(error),
        }
    }
}

/// List one's own API keys.
///
/// Those that work, the newest first.
#[utoipa::path(
    get,
    path = "/auth/v1/me/api-keys",
    operation_id = "listApiKeys",
    tag = "api-keys",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The keys", body = ApiKeyList),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let keys = list_api_keys(&context, caller.actor()).await?;
    let items = keys.into_iter().map(Into::into).collect();
    Ok(secret_answer(HttpResponse::Ok(), &ApiKeyList { items }))
}

/// Create an API key.
///
/// It may do what its scopes name, as long as one may do it oneself. It is shown this once. Needs a
/// recent log-in.
#[utoipa::path(
    post,
    path = "/auth/v1/me/api-keys",
    operation_id = "createApiKey",
    tag = "api-keys",
    security(("bearer" = [])),
    request_body = CreateApiKeyRequest,
    responses(
        (status = 201, description = "The key", body = NewApiKeyBody),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`too-many-api-keys`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<CreateApiKeyRequest>,
) -> Result<HttpResponse, Problem> {
    let name = DisplayName::parse(&request.name).map_err(|error| {
        Problem::new(ErrorCode::Validation).field("name", "invalid", error.to_string())
    })?;
    let new = NewApiKey {
        name,
        scopes: request.scopes,
        expires_at: request.expires_at,
    };
    let (row, key) = create_api_key(&context, caller.actor(), new, &origin).await?;
    let body = NewApiKeyBody {
        api_key: row.into(),
        key: key.expose(),
    };
    Ok(secret_answer(HttpResponse::Created(), &body))
}

/// Revoke one of one's own API keys.
///
/// Every service refuses it within a second.
#[utoipa::path(
    delete,
    path = "/auth/v1/me/api-keys/{id}",
    operation_id = "revokeApiKey",
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "It does not work any more"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`api-key-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn revoke(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    // What is no id is nobody's.
    let unknown = |_| Problem::new(ErrorCode::ApiKeyNotFound);
    let id = id.parse().map_err(unknown)?;
    revoke_api_key(&context, caller.actor(), id, &origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
