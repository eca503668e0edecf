use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use serde::Deserialize;
use service_kit::{
    access_token::Authenticated,
    json::Json,
    problem::{Problem, ProblemBody},
};

use super::{database_problem, me::Profile};
use crate::{
    context::Context,
    display_name::DisplayName,
    origin::Origin,
    use_cases::update_profile::{UpdateProfileError, update_profile},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateProfileRequest {
    #[schema(min_length = 1, max_length = 100, example = "Ada King")]
    name: String,
}

impl From<UpdateProfileError> for Problem {
    fn from(error: UpdateProfileError) -> Self {
        match error {
            UpdateProfileError::Forbidden => Self::new(ErrorCode::Forbidden),
            UpdateProfileError::Gone => Self::new(ErrorCode::InvalidToken),
            UpdateProfileError::Database(error) => database_problem(error),
        }
    }
}

/// Change how one is called.
///
/// Address and password have endpoints of their own; a role is never one's own to change.
#[utoipa::path(
    patch,
    path = "/auth/v1/me",
    operation_id = "updateProfile",
    tag = "users",
    security(("bearer" = [])),
    request_body = UpdateProfileRequest,
    responses(
        (status = 200, description = "One's own account, changed", body = Profile),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    origin: Origin,
    Json(request): Json<UpdateProfileRequest>,
) -> Result<HttpResponse, Problem> {
    let name = DisplayName::parse(&request.name).map_err(|error| {
        Problem::new(ErrorCode::Validation).field("name", "invalid", error.to_string())
    })?;
    let user = update_profile(&context, caller.actor(), &name, &origin).await?;
    Ok(super::secret_answer(
        HttpResponse::Ok(),
        &Profile::from(user),
    ))
}
