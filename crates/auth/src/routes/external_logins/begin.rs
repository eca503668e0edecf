use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use service_kit::{
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{BegunLoginAnswer, binding_cookie, browser};
use crate::{
    context::Context, routes::secret_answer, use_cases::begin_external_login::begin_external_login,
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct BeginExternalLoginRequest {
    /// A name of `GET /auth/v1/external-logins/providers`.
    #[schema(example = "example")]
    provider: String,
}

/// Begin a log-in at a provider.
///
/// Send the person to `authorization_url`. The provider sends the browser back to a page of ours,
/// which completes the log-in. The answer sets a cookie: the log-in can be completed in this
/// browser only.
#[utoipa::path(
    post,
    path = "/auth/v1/external-logins",
    operation_id = "beginExternalLogin",
    tag = "external log-in",
    request_body = BeginExternalLoginRequest,
    responses(
        (status = 201, description = "The log-in goes on at the provider", body = BegunLoginAnswer),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`external-provider-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`external-provider-unavailable` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    http: HttpRequest,
    Json(request): Json<BeginExternalLoginRequest>,
) -> Result<HttpResponse, Problem> {
    let login = begin_external_login(&context, &request.provider, browser(&http), None).await?;
    let mut response = HttpResponse::Created();
    response.cookie(binding_cookie(&login.binding));
    Ok(secret_answer(response, &BegunLoginAnswer::new(&login)))
}
