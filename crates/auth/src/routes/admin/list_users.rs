use actix_web::{HttpRequest, HttpResponse, web};
use contracts::ErrorCode;
use serde::{Deserialize, Serialize};
use service_kit::{access_token::Authenticated, problem::Problem};

use super::{Neighbours, User, query, slice};
use crate::{context::Context, use_cases::admin};

/// The longest address has 254 characters (RFC 5321 §4.5.3.1).
const MAX_SEARCH: usize = 254;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    search: Option<String>,
    first: Option<i64>,
    after: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct UserPage {
    items: Vec<User>,
    page: Neighbours,
}

/// List accounts.
///
/// The oldest first; with `search`, those whose e-mail address or name begins with it, in any case.
#[utoipa::path(
    get,
    path = "/auth/v1/admin/users",
    operation_id = "listUsers",
    tag = "admin",
    params(
        ("search" = Option<String>, Query, description = "How the address or the name begins", max_length = 254, example = "ada"),
        ("first" = Option<i64>, Query, description = "So many accounts after `after`", minimum = 1, maximum = 100, example = 20),
        ("after" = Option<uuid::Uuid>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of accounts", body = UserPage),
        (status = 400, description = "`invalid-page-size`, `invalid-cursor`"),
        (status = 422, description = "`validation`"),
    ),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
    caller: Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query {
        search,
        first,
        after,
    } = query(&request)?;
    let search = search.map(|text| text.trim().to_owned());
    let search = search.filter(|text| !text.is_empty());
    check(search.as_deref())?;
    let slice = slice(first, after)?;
    let users = admin::list_users(&context, caller.actor(), search.as_deref(), slice).await?;
    let page = UserPage {
        items: users.items.into_iter().map(User::from).collect(),
        page: Neighbours { next: users.next },
    };
    Ok(HttpResponse::Ok().json(page))
}

fn check(search: Option<&str>) -> Result<(), Problem> {
    let is_odd = |text: &str| text.chars().count() > MAX_SEARCH || text.contains(char::is_control);
    if search.is_some_and(is_odd) {
        let message = format!("A search is at most {MAX_SEARCH} printable characters.");
        return Err(Problem::new(ErrorCode::Validation).field("search", "invalid", message));
    }
    Ok(())
}
