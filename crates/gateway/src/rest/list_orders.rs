use actix_web::{HttpRequest, HttpResponse, web};
use contracts::ErrorCode;
use service_kit::access_token::Authenticated;
use service_kit::problem::{Problem, ProblemBody};

use super::model::OrderPageBody;
use super::{Context, ListQuery, complete, listing_problem, order_problem};
use crate::conditional::{Audience, answer};
use crate::cursor::List;

/// One's own orders.
///
/// The newest first.
#[utoipa::path(
    get,
    path = "/v1/orders",
    operation_id = "listOrders",
    tag = "orders",
    security(("bearer" = [])),
    params(
        ("first" = Option<i64>, Query, description = "So many orders after `after`", minimum = 1, maximum = 100, example = 20),
        ("after" = Option<String>, Query, description = "A cursor: `page.next` of the page before"),
        ("last" = Option<i64>, Query, description = "So many orders before `before`, instead of `first`", minimum = 1, maximum = 100),
        ("before" = Option<String>, Query, description = "A cursor: `page.previous` of the page after"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = OrderPageBody, headers(("ETag" = String, description = "Changes with the body"))),
        (status = 304, description = "As it was"),
        (status = 400, description = "`invalid-page-size`, `invalid-cursor` or `malformed-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    request: HttpRequest,
    caller: Authenticated,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (arguments, query) = ListQuery::parse(&request)?.into_parts();
    if query.search.is_some() || query.sort.is_some() {
        let detail = "Orders can't be searched, and are sorted by age.";
        return Err(Problem::new(ErrorCode::MalformedRequest).detail(detail));
    }
    let page = arguments
        .request(&context.cursors, List::Orders)
        .map_err(listing_problem)?;
    let page = context.orders.orders_of_actor(caller.actor(), page).await;
    let page = complete(&context.orders, page.map_err(order_problem)?).await;
    let page = page.map_err(order_problem)?;
    let body = OrderPageBody::new(page, &context.cursors);
    answer(&request, &body, Audience::Caller)
}
