use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};

use crate::{
    context::Context,
    routes::secret_answer,
    use_cases::mfa::{MfaStatus, read_mfa},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct MfaAnswer {
    /// Whether a log-in asks for a second factor.
    #[schema(example = true)]
    enabled: bool,
    enabled_at: Option<DateTime<Utc>>,
    /// Recovery codes that have not been used.
    #[schema(example = 10)]
    recovery_codes_left: u64,
}

impl From<MfaStatus> for MfaAnswer {
    fn from(status: MfaStatus) -> Self {
        Self {
            enabled: status.enabled_at.is_some(),
            enabled_at: status.enabled_at,
            recovery_codes_left: status.recovery_codes_left,
        }
    }
}

/// Read the state of one's second factor.
///
/// Whether it is on, since when, and how many recovery codes are left.
#[utoipa::path(
    get,
    path = "/auth/v1/me/mfa",
    operation_id = "readMfa",
    tag = "mfa",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The state", body = MfaAnswer),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let status = read_mfa(&context, caller.actor()).await?;
    Ok(secret_answer(HttpResponse::Ok(), &MfaAnswer::from(status)))
}
