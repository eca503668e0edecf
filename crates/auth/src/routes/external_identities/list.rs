use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use super::ExternalIdentityAnswer;
use crate::{
    context::Context,
    routes::{database_problem, secret_answer},
    use_cases::list_external_identities::{ListExternalIdentitiesError, list_external_identities},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct ExternalIdentities {
    external_identities: Vec<ExternalIdentityAnswer>,
}

impl From<ListExternalIdentitiesError> for Problem {
    fn from(error: ListExternalIdentitiesError) -> Self {
        match error {
            ListExternalIdentitiesError::Forbidden => Self::new(ErrorCode::Forbidden),
            ListExternalIdentitiesError::Database(error) => database_problem(error),
        }
    }
}

/// List one's external identities.
///
/// With which logins at providers one's own account can be opened, oldest first.
#[utoipa::path(
    get,
    path = "/auth/v1/me/external-identities",
    operation_id = "listExternalIdentities",
    tag = "external log-in",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The identities", body = ExternalIdentities),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let identities = list_external_identities(&context, caller.actor()).await?;
    let answer = ExternalIdentities {
        external_identities: identities.into_iter().map(Into::into).collect(),
    };
    Ok(secret_answer(HttpResponse::Ok(), &answer))
}
