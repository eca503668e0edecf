//! `/v1/admin/service-accounts`.

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
    origin::Origin,
    service_account::{InvalidServiceAccount, ServiceAccount, ServiceAccountSpec},
    use_cases::service_accounts::{
        Manager, ServiceAccountError, create_service_account, disable_service_account,
        list_service_accounts,
    },
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateServiceAccountRequest {
    /// The `client_id`: lower-case letters, digits and hyphens.
    #[schema(example = "warehouse", min_length = 2, max_length = 64)]
    name: String,
    /// The `aud` of its tokens.
    #[schema(example = "plumbline:user-directory", min_length = 1, max_length = 128)]
    audience: String,
    /// Permissions that programs can have.
    #[schema(example = json!(["users:look-up"]))]
    scopes: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ServiceAccountBody {
    id: Uuid,
    #[schema(example = "warehouse")]
    client_id: String,
    #[schema(example = "plumbline:user-directory")]
    audience: String,
    #[schema(example = json!(["users:look-up"]))]
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewServiceAccountBody {
    #[serde(flatten)]
    account: ServiceAccountBody,
    /// Shown this once.
    #[schema(example = "bWluZSBhbG9uZSwgYW5kIG9ubHkgdGhpcyBvbmNlISE")]
    client_secret: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ServiceAccountList {
    /// By name; at most 1000.
    items: Vec<ServiceAccountBody>,
}

impl From<ServiceAccount> for ServiceAccountBody {
    fn from(account: ServiceAccount) -> Self {
        Self {
            id: account.id,
            client_id: account.name,
            audience: account.audience,
            scopes: account.scopes,
            created_at: account.created_at,
            disabled_at: account.disabled_at,
        }
    }
}

impl From<InvalidServiceAccount> for Problem {
    fn from(invalid: InvalidServiceAccount) -> Self {
        let field = match invalid {
            InvalidServiceAccount::Name => "name",
            InvalidServiceAccount::Audience => "audience",
            InvalidServiceAccount::Scopes => "scopes",
        };
        Self::new(ErrorCode::Validation).field(field, "invalid", invalid.to_string())
    }
}

impl From<ServiceAccountError> for Problem {
    fn from(error: ServiceAccountError) -> Self {
        match error {
            ServiceAccountError::Forbidden => Self::new(ErrorCode::Forbidden),
            ServiceAccountError::Exists => Self::new(ErrorCode::ServiceAccountExists),
            ServiceAccountError::Unknown => Self::new(ErrorCode::ServiceAccountNotFound),
            ServiceAccountError::Random(error) => Self::internal(error),
            ServiceAccountError::Database(error) => database_problem(error),
        }
    }
}

/// List service accounts.
///
/// Those that were disabled, too. Needs `service-accounts:manage`.
#[utoipa::path(
    get,
    path = "/auth/v1/admin/service-accounts",
    operation_id = "listServiceAccounts",
    tag = "admin",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The accounts", body = ServiceAccountList),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let accounts = list_service_accounts(&context, Manager::Admin(caller.actor())).await?;
    let items = accounts.into_iter().map(Into::into).collect();
    Ok(secret_answer(
        HttpResponse::Ok(),
        &ServiceAccountList { items },
    ))
}

/// Create a service account.
///
/// A program that may ask `/auth/oauth2/token` for tokens of this audience and scope. The secret is
/// shown this once. Needs `service-accounts:manage` and a recent log-in.
#[utoipa::path(
    post,
    path = "/auth/v1/admin/service-accounts",
    operation_id = "createServiceAccount",
    tag = "admin",
    security(("bearer" = [])),
    request_body = CreateServiceAccountRequest,
    responses(
        (status = 201, description = "The account and its secret", body = NewServiceAccountBody),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`service-account-exists`", body = ProblemBody, content_type = "application/problem+json"),
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
    Json(request): Json<CreateServiceAccountRequest>,
) -> Result<HttpResponse, Problem> {
    let scopes = request.scopes.iter().map(String::as_str);
    let spec = ServiceAccountSpec::parse(&request.name, &request.audience, scopes)?;
    let admin = Manager::Admin(caller.actor());
    let (account, secret) = create_service_account(&context, admin, &origin, spec).await?;
    let body = NewServiceAccountBody {
        account: account.into(),
        client_secret: secret.expose(),
    };
    Ok(secret_answer(HttpResponse::Created(), &body))
}

/// Disable a service account.
///
/// For good; its name stays taken. Needs `service-accounts:manage`.
#[utoipa::path(
    delete,
    path = "/auth/v1/admin/service-accounts/{id}",
    operation_id = "disableServiceAccount",
    tag = "admin",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "It is disabled, now or before"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`service-account-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn disable(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    // What is no id is nobody's.
    let unknown = |_| Problem::new(ErrorCode::ServiceAccountNotFound);
    let id: Uuid = id.parse().map_err(unknown)?;
    let admin = Manager::Admin(caller.actor());
    disable_service_account(&context, admin, &origin, id).await?;
    Ok(HttpResponse::NoContent().finish())
}
