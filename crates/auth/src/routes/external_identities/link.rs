use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};

use crate::{
    context::Context,
    routes::{
        external_logins::{BegunLoginAnswer, binding_cookie, browser},
        secret_answer,
    },
    use_cases::begin_external_login::begin_external_login,
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct LinkExternalIdentityRequest {
    /// A name of `GET /auth/v1/external-logins/providers`.
    #[schema(example = "example")]
    provider: String,
}

/// Begin to link an external identity.
///
/// As a log-in at a provider, except that the identity is linked to one's own account. One must
/// have proved who one is within the last five minutes.
#[utoipa::path(
    post,
    path = "/auth/v1/me/external-identities",
    operation_id = "linkExternalIdentity",
    tag = "external log-in",
    security(("bearer" = [])),
    request_body = LinkExternalIdentityRequest,
    responses(
        (status = 201, description = "It goes on at the provider", body = BegunLoginAnswer),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`, `invalid-token` or `step-up-required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`external-provider-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`external-provider-unavailable` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    http: HttpRequest,
    Json(request): Json<LinkExternalIdentityRequest>,
) -> Result<HttpResponse, Problem> {
    let link_to = Some(caller.actor());
    let login = begin_external_login(&context, &request.provider, browser(&http), link_to).await?;
    let mut response = HttpResponse::Created();
    response.cookie(binding_cookie(&login.binding));
    Ok(secret_answer(response, &BegunLoginAnswer::new(&login)))
}
