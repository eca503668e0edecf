use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use contracts::ErrorCode;
use kernel::{Actor, SessionId};
use serde::Serialize;
use service_kit::{
    access_token::Authenticated,
    problem::{Problem, ProblemBody},
};
use uuid::Uuid;

use super::database_problem;
use crate::{
    context::Context,
    store::session,
    use_cases::list_sessions::{ListSessionsError, list_sessions},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionList {
    /// The last used first: at most 100.
    sessions: Vec<Session>,
}

/// A log-in that has not ended.
#[derive(Serialize, utoipa::ToSchema)]
struct Session {
    id: Uuid,
    /// Whether it is the one of this request.
    current: bool,
    /// The browser or program, as it described itself at the log-in.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    device: Option<String>,
    /// From where it was used last.
    #[schema(example = "192.0.2.1")]
    ip: Option<String>,
    created_at: DateTime<Utc>,
    /// When it was last refreshed.
    last_used_at: DateTime<Utc>,
    /// It ends then, or before, when it is not refreshed.
    expires_at: DateTime<Utc>,
}

impl Session {
    fn of(session: session::Model, actor: &Actor) -> Self {
        Self {
            id: session.id,
            current: actor.session_id() == Some(SessionId::from(session.id)),
            device: session.device,
            ip: session.ip,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}

impl From<ListSessionsError> for Problem {
    fn from(error: ListSessionsError) -> Self {
        match error {
            ListSessionsError::Forbidden => Self::new(ErrorCode::Forbidden),
            ListSessionsError::Database(error) => database_problem(error),
        }
    }
}

/// List one's own sessions.
///
/// Those that have not ended.
#[utoipa::path(
    get,
    path = "/auth/v1/sessions",
    operation_id = "listSessions",
    tag = "sessions",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "One's own sessions", body = SessionList),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
) -> Result<HttpResponse, Problem> {
    let sessions = list_sessions(&context, caller.actor()).await?;
    let sessions = sessions.into_iter();
    let sessions = sessions.map(|session| Session::of(session, caller.actor()));
    let list = SessionList {
        sessions: sessions.collect(),
    };
    Ok(super::secret_answer(HttpResponse::Ok(), &list))
}
