use actix_web::{HttpRequest, HttpResponse, web};
use contracts::ErrorCode;
use kernel::OrderId;
use service_kit::access_token::Authenticated;
use service_kit::problem::{Problem, ProblemBody};

use super::model::OrderBody;
use super::{Context, complete_one, order_problem};
use crate::conditional::{Audience, answer};

/// One order.
///
/// One's own; staff may read any. Someone else's is not found, as one that does not exist.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    operation_id = "readOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(
        ("id" = uuid::Uuid, Path, description = "The order's id"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The order", body = OrderBody, headers(("ETag" = String, description = "Changes with the body"))),
        (status = 304, description = "As it was"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`order-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    request: HttpRequest,
    id: web::Path<String>,
    caller: Authenticated,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(ErrorCode::OrderNotFound);
    let id: OrderId = id.parse().map_err(|_| missing())?;
    let order = context
        .orders
        .order(caller.actor(), id)
        .await
        .map_err(order_problem)?;
    let order = complete_one(&context.orders, order.ok_or_else(missing)?).await?;
    answer(&request, &order, Audience::Caller)
}
